#include <algorithm>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

std::string documentation() {
  std::ifstream file(KAPPA_FUNCTION_DOCS);
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_word_character(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Whether `name` stands somewhere in backquotes, not as a part of a longer word.
bool is_documented(const std::string& text, const std::string& name) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1];
    const char after = at + name.size() < text.size() ? text[at + name.size()] : ' ';
    const bool word = is_word_character(name[0]);
    if (word && before == '`' && (after == '`' || after == '(')) return true;
    if (!word && before == '`' && after == '`') return true;
  }
  return false;
}

TEST_CASE("every function is documented") {
  std::string text = documentation();
  for (size_t at = 0; (at = text.find("\\|", at)) != std::string::npos;) text.erase(at, 1);
  for (const std::string& name : function_names()) {
    INFO(name);
    CHECK(is_documented(text, name));
  }
}

TEST_CASE("signatures are written as in SQL") {
  const std::vector<std::string> signatures = function_signatures();
  const auto has = [&](const char* signature) {
    return std::find(signatures.begin(), signatures.end(), signature) != signatures.end();
  };
  CHECK(has("upper(text)"));
  CHECK(has("numeric + numeric"));
  CHECK(has("-bigint"));
  CHECK(has("greatest(numeric, ...)"));
  CHECK(has("text is distinct from text"));
  CHECK(has("pi()"));
}

}  // namespace
}  // namespace kappa::operators
