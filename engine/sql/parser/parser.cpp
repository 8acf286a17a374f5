#include "engine/sql/parser/parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/fault.h"
#include "engine/sql/parser/syntax_hint.h"
#include "engine/types/status_macros.h"
#include "nlohmann/json.hpp"
#include "pg_query.h"

namespace kappa::sql {
namespace {

using Json = nlohmann::json;

// Parser errors count characters from 1, and 0 is "nowhere"; trees count bytes from 0.
size_t offset_of_character(std::string_view text, const StatementText& statement, int cursor) {
  if (cursor <= 0) return statement.begin;
  int characters = 0;
  for (size_t i = statement.begin; i < statement.end; ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts && ++characters == cursor) return i;
  }
  return statement.end;
}

// How deep the braces of a JSON text go, without parsing it.
int depth_of(std::string_view json) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}') {
      --depth;
    }
  }
  return deepest;
}

constexpr size_t kNowhere = std::numeric_limits<size_t>::max();

// Turns libpg_query's JSON into nodes whose offsets count from the start of the whole text.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, size_t statement_begin)
      : text_(text), begin_(statement_begin) {}

  // An object is either a node wrapped in its kind, {"RangeVar": {…}}, or the content of a field
  // that only takes one kind, which is then named after the field.
  Node build(const Json& json, const std::string& field) const {
    if (json.size() == 1 && json.begin()->is_object() &&
        absl::ascii_isupper(static_cast<unsigned char>(json.begin().key()[0]))) {
      return content(json.begin().value(), json.begin().key());
    }
    return content(json, json.empty() ? "" : kind_of_field(field));
  }

 private:
  static std::string kind_of_field(const std::string& field) {
    if (field == "relation" || field == "rel" || field == "view") return "RangeVar";
    if (field == "larg" || field == "rarg") return "SelectStmt";
    if (field == "typeName") return "TypeName";
    if (field == "over") return "WindowDef";
    return field;
  }

  Node content(const Json& json, const std::string& kind) const {
    Node node;
    node.kind = kind;
    node.offset = kNowhere;
    size_t within = kNowhere;
    for (const auto& [name, value] : json.items()) {
      if (name == "stmt_len" || name == "stmt_location") continue;
      if (name == "location") {
        if (value.get<int64_t>() >= 0) node.offset = begin_ + value.get<size_t>();
        continue;
      }
      node.fields.push_back(field(name, value));
      for (const Node& part : node.fields.back().nodes) within = std::min(within, part.offset);
    }
    if (node.offset == kNowhere) node.offset = within;
    if (kind == "A_Const") restore_integer(node);
    return node;
  }

  Field field(const std::string& name, const Json& value) const {
    Field field;
    field.name = name;
    if (value.is_array()) {
      field.is_list = true;
      for (const Json& item : value) field.nodes.push_back(build(item, name));
    } else if (value.is_object()) {
      field.nodes.push_back(build(value, name));
    } else {
      field.scalar = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return field;
  }

  // libpg_query leaves out the value of an integer constant that is not above zero, though the
  // grammar has already folded the sign of -5 into it: it is read from the text again.
  void restore_integer(Node& node) const {
    for (Field& field : node.fields) {
      if (field.name != "ival" || field.nodes.empty() || field.nodes[0].has("ival")) continue;
      Field value;
      value.name = "ival";
      value.scalar = integer_at(node.offset);
      field.nodes[0].fields.push_back(std::move(value));
    }
  }

  std::string integer_at(size_t offset) const {
    if (offset >= text_.size() || text_[offset] != '-') return "0";
    for (const Token& token : tokenize(text_.substr(offset))) {
      if (token.kind != Token::Kind::kNumber) continue;
      const std::string digits(token_text(text_.substr(offset), token));
      return digits.find_first_not_of('0') == std::string::npos ? "0" : "-" + digits;
    }
    return "0";
  }

  std::string_view text_;
  size_t begin_;
};

// Gives places to what PostgreSQL's tree has none for.
class Placer {
 public:
  Placer(std::string_view text, const StatementText& statement)
      : text_(text), tokens_(statement.tokens) {}

  // Nodes without a place of their own or of a part take the one around them. Returns where the
  // first of the node and its parts stands.
  size_t place(Node& node, size_t around) const {
    if (node.offset == kNowhere) node.offset = around;
    size_t first = node.offset;
    for (Field& field : node.fields) {
      size_t first_part = kNowhere;
      for (Node& part : field.nodes) first_part = std::min(first_part, place(part, node.offset));
      field.offset = field.nodes.empty() ? node.offset : place_of_words(field.name, first_part);
      first = std::min(first, first_part);
    }
    return first;
  }

 private:
  struct Clause {
    std::string_view field;
    std::array<std::string_view, 2> words;  // the second may be empty
  };

  // Where the words of a clause stand before its first part; that part's place, if they do not.
  size_t place_of_words(std::string_view field, size_t part) const {
    constexpr std::array<Clause, 8> kClauses = {
        Clause{"agg_filter", {"FILTER", ""}},   Clause{"agg_order", {"ORDER", "BY"}},
        Clause{"havingClause", {"HAVING", ""}}, Clause{"limitCount", {"LIMIT", ""}},
        Clause{"limitOffset", {"OFFSET", ""}},  Clause{"returningList", {"RETURNING", ""}},
        Clause{"sortClause", {"ORDER", "BY"}},  Clause{"windowClause", {"WINDOW", ""}}};
    constexpr std::ptrdiff_t kTokensBetweenMax = 4;  // FILTER ( WHERE (x …, WINDOW w AS (…
    const auto clause = std::find_if(kClauses.begin(), kClauses.end(),
                                     [&](const Clause& c) { return c.field == field; });
    if (clause == kClauses.end()) return part;
    const auto behind = std::partition_point(
        tokens_.begin(), tokens_.end(), [&](const Token& token) { return token.offset < part; });
    for (auto token = behind; token != tokens_.begin() && behind - token <= kTokensBetweenMax;) {
      --token;
      const bool second =
          clause->words[1].empty() ||
          (token + 1 != tokens_.end() && upper_word(text_, *(token + 1)) == clause->words[1]);
      if (second && upper_word(text_, *token) == clause->words[0]) return token->offset;
    }
    return part;
  }

  std::string_view text_;
  const std::vector<Token>& tokens_;
};

// A message quotes what is left of the text where a quote is not closed.
std::string one_line(std::string message) {
  if (message.find('\n') != std::string::npos) message.resize(message.find(" at or near"));
  return message;
}

absl::Status check_limits(std::string_view text, const StatementText& statement) {
  constexpr size_t kNameBytesMax = 63;
  if (statement.tokens.size() > kStatementTokensMax) {
    return fault(statement.begin,
                 absl::StrCat("the statement has ", statement.tokens.size(),
                              " words and signs; at most ", kStatementTokensMax, " are allowed"));
  }
  for (const Token& token : statement.tokens) {
    const size_t quotes = token.kind == Token::Kind::kQuotedName ? 2 : 0;
    if (token.kind != Token::Kind::kWord && quotes == 0) continue;
    if (token.size - quotes > kNameBytesMax && token.complete) {
      return fault(token.offset,
                   absl::StrCat("the name ", std::string(token_text(text, token)), " is too long"),
                   absl::StrCat("names have at most ", kNameBytesMax, " bytes"));
    }
  }
  return absl::OkStatus();
}

// libpg_query's result, freed at the end of the scope.
class ParseResult {
 public:
  explicit ParseResult(const std::string& text) : result_(pg_query_parse(text.c_str())) {}
  ~ParseResult() { pg_query_free_parse_result(result_); }
  ParseResult(const ParseResult&) = delete;
  ParseResult& operator=(const ParseResult&) = delete;

  const PgQueryError* error() const { return result_.error; }
  std::string_view tree() const { return result_.parse_tree; }

 private:
  PgQueryParseResult result_;
};

}  // namespace

absl::StatusOr<Node> parse_statement(std::string_view text, const StatementText& statement) {
  KAPPA_RETURN_IF_ERROR(check_limits(text, statement));
  const ParseResult parsed(
      std::string(text.substr(statement.begin, statement.end - statement.begin)));
  if (const PgQueryError* error = parsed.error()) {
    const size_t offset = offset_of_character(text, statement, error->cursorpos);
    return fault(offset, one_line(error->message), syntax_hint(text, statement, offset));
  }
  if (depth_of(parsed.tree()) > kTreeDepthMax) {
    return fault(statement.begin, "the statement is nested too deeply",
                 "break it up into several views, or an expression into a CASE or an IN list");
  }
  const Json json = Json::parse(parsed.tree(), nullptr, false);
  if (json.is_discarded() || json.value("stmts", Json::array()).size() != 1) {
    return fault(statement.begin, "the statement has no parse tree");
  }
  Node node = TreeBuilder(text, statement.begin).build(json["stmts"][0]["stmt"], "stmt");
  Placer(text, statement).place(node, statement.begin);
  return node;
}

}  // namespace kappa::sql
