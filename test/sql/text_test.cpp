#include <catch2/catch.hpp>

#include "engine/sql/parser/token.h"
#include "engine/sql/source_text.h"
#include "engine/sql/suggest.h"

namespace kappa::sql {
namespace {

std::vector<std::string> tokens(std::string_view text) {
  std::vector<std::string> all;
  for (const Token& token : tokenize(text)) all.emplace_back(token_text(text, token));
  return all;
}

std::vector<std::string> statements(const std::string& text) {
  std::vector<std::string> all;
  for (const StatementText& statement : split_statements(text)) {
    all.push_back(text.substr(statement.begin, statement.end - statement.begin));
  }
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("words, names, strings, numbers and signs are tokens, and blanks and comments are none") {
  CHECK(tokens("SELECT a1_$ , \"A \"\"b\"\"\" -- to the end\n/* a /* nested */ one */ 1.5e3;") ==
        Texts{"SELECT", "a1_$", ",", "\"A \"\"b\"\"\"", "1.5e3", ";"});
  CHECK(tokens("'it''s' E'a\\'b' x'1f' U&'d' U&\"n\" n'x' $$a;b$$ $q$ $$ $q$ $1") ==
        Texts{"'it''s'", "E'a\\'b'", "x'1f'", "U&'d'", "U&\"n\"", "n'x'", "$$a;b$$", "$q$ $$ $q$",
              "$1"});
  CHECK(tokens("a::b||c<>d") == Texts{"a", ":", ":", "b", "|", "|", "c", "<", ">", "d"});
  CHECK(tokens("größe = 'ä'") == Texts{"größe", "=", "'ä'"});
}

TEST_CASE("a quote that nothing closes reaches to the end and says so") {
  for (const char* text : {"a 'b", "a \"b", "a $x$b", "a /* b", "a E'b\\'"}) {
    INFO(text);
    const auto all = tokenize(text);
    REQUIRE(all.size() == 2);
    CHECK_FALSE(all[1].complete);
    CHECK(all[1].offset + all[1].size == std::string_view(text).size());
  }
}

TEST_CASE("statements end at semicolons outside of quotes and comments") {
  CHECK(statements("a 'x;y' ; b $$;$$ /* ; */ c -- ;\n;; d (; e) ;f") ==
        Texts{"a 'x;y'", "b $$;$$ /* ; */ c", "d (", "e)", "f"});
  CHECK(statements("\xEF\xBB\xBF a;").front() == "a");
  CHECK(statements(" \n ; -- x").empty());
}

TEST_CASE("positions count lines and characters, both ways") {
  const SourceText text("f.sql", "ab\nä€x\r\n\ny");
  const auto at = [&](size_t offset) {
    const auto position = text.position(offset);
    CHECK(text.offset(position) == offset);
    return std::pair(position.line, position.column);
  };
  using Place = std::pair<uint32_t, uint32_t>;
  CHECK(at(0) == Place{1, 1});
  CHECK(at(1) == Place{1, 2});
  CHECK(at(3) == Place{2, 1});
  CHECK(at(5) == Place{2, 2});
  CHECK(at(8) == Place{2, 3});
  CHECK(at(11) == Place{3, 1});
  CHECK(at(12) == Place{4, 1});
  CHECK(text.position(1000).line == 4);
  CHECK(text.line_at(5) == "ä€x");
  CHECK(text.line_at(11).empty());
  CHECK(text.line_at(1000) == "y");
}

TEST_CASE("UTF-8 is checked to the byte") {
  CHECK(first_invalid_byte("aä€𝄞") == std::string_view("aä€𝄞").size());
  CHECK(first_invalid_byte("a\xC3") == 1);
  CHECK(first_invalid_byte("a\xC0\xAF") == 1);         // overlong
  CHECK(first_invalid_byte("\xE0\x80\x80") == 0);      // overlong
  CHECK(first_invalid_byte("\xF4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(first_invalid_byte("ab\xED\xA0\x80") == 2);    // a surrogate
  CHECK(first_invalid_byte("\x80") == 0);
  CHECK(first_invalid_byte(std::string_view("a\0b", 3)) == 1);
}

TEST_CASE("the edit distance counts swaps of neighbours once and ignores case") {
  CHECK(edit_distance("amount", "AMOUNT") == 0);
  CHECK(edit_distance("amout", "amount") == 1);
  CHECK(edit_distance("amuont", "amount") == 1);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("a suggestion is near, or else lists what there is") {
  CHECK(suggestion("amout", {"card", "amount"}) == "did you mean \"amount\"?");
  CHECK(suggestion("x", {"card", "amount"}) == "there are card, amount");
  CHECK(suggestion("x", {"card"}) == "there is card");
  CHECK(suggestion("x", {"card"}, "columns are") == "columns are card");
  CHECK(suggestion("x", {}).empty());
  CHECK(suggestion("zz", Texts(20, "name")) ==
        "there are name, name, name, name, name, name, name, name, name, name, name, name, …");
}

}  // namespace kappa::sql
