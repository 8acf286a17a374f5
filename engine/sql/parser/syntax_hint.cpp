#include "engine/sql/parser/syntax_hint.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/suggest.h"

namespace kappa::sql {
namespace {

// Dialects of other engines, told by neighbouring words wherever they stand in the statement.
struct Dialect {
  std::vector<std::string> words;
  std::string hint;
};

const std::vector<Dialect>& dialects() {
  static const auto& all = *new std::vector<Dialect>{
      {{"CREATE", "OR", "REPLACE"},
       "write CREATE MATERIALIZED VIEW: a changed product takes effect as a whole, so there is "
       "nothing to replace"},
      {{"KEY", "=", "("}, "write the key columns as one text: WITH (key = 'a, b')"},
      {{"WATERMARK", "FOR"},
       "write OPTIONS (event_time 'column', out_of_orderness '5 seconds') after SERVER log"},
      {{"FOR", "SYSTEM_TIME"}, "leave it out: what a row looks up is always as of its own place"},
      {{"FOR", "SYSTEM", "TIME"},
       "leave it out: what a row looks up is always as of its own place"},
      {{"TUMBLE", "(", "TABLE"}, "write tumble(t, event_time, INTERVAL '1 minute')"},
      {{"HOP", "(", "TABLE"}, "name the table without the word TABLE"},
      {{"EMIT", "CHANGES"}, "write WITH (emit = 'changes') between the view's name and AS"},
      {{"EMIT", "FINAL"}, "write WITH (emit = 'final') between the view's name and AS"},
      {{"EMIT", "ON"}, "write WITH (emit = 'final') between the view's name and AS"},
      {{"EMIT", "AFTER"}, "write WITH (emit = 'final') between the view's name and AS"},
      {{"IGNORE", "NULLS"}, "write FILTER (WHERE x IS NOT NULL) behind the aggregate"},
      {{"RESPECT", "NULLS"}, "leave it out: nulls are respected"},
      {{"CREATE", "STREAM"}, "write CREATE FOREIGN TABLE … SERVER log OPTIONS (topic '…')"},
      {{"CREATE", "SOURCE"}, "write CREATE FOREIGN TABLE … SERVER log OPTIONS (topic '…')"},
      {{"CREATE", "SINK"},
       "declare the output topic with CREATE FOREIGN TABLE, then INSERT INTO it SELECT …"},
  };
  return all;
}

template <size_t N>
bool contains(const std::array<const char*, N>& words, const std::string& word) {
  return std::any_of(words.begin(), words.end(), [&](const char* w) { return word == w; });
}

// Words that begin or end a clause, so that a slip shows at the word behind them.
constexpr std::array kClauses = {"FROM",   "WHERE",        "GROUP",   "ORDER", "HAVING", "LIMIT",
                                 "UNION",  "SERVER",       "OPTIONS", "TABLE", "VIEW",   "FOREIGN",
                                 "OFFSET", "MATERIALIZED", "SELECT",  "INTO"};

// Reserved words that people like to name columns with.
constexpr std::array kReservedNouns = {"ASC",     "CHECK", "COLUMN", "DEFAULT", "DESC",   "END",
                                       "FOR",     "FROM",  "GROUP",  "LIMIT",   "OFFSET", "ORDER",
                                       "PRIMARY", "TABLE", "TO",     "UNION",   "USER",   "WINDOW"};

constexpr std::array kReserved = {
    "ALL",    "AND",     "ARRAY",  "AS",      "ASC",      "CASE",   "CAST",  "CHECK",
    "COLUMN", "CREATE",  "DESC",   "DEFAULT", "DISTINCT", "DO",     "ELSE",  "END",
    "EXCEPT", "FETCH",   "FOR",    "FOREIGN", "FROM",     "GRANT",  "GROUP", "HAVING",
    "IN",     "INTO",    "LIMIT",  "NOT",     "NULL",     "OFFSET", "ON",    "OR",
    "ORDER",  "PRIMARY", "SELECT", "SOME",    "TABLE",    "THEN",   "TO",    "UNION",
    "UNIQUE", "USER",    "USING",  "WHEN",    "WHERE",    "WINDOW", "WITH"};

// The words of a statement, in upper case, and where the parser gave up among them.
class Reader {
 public:
  Reader(std::string_view text, const StatementText& statement, size_t error_offset)
      : tokens_(statement.tokens) {
    for (const Token& token : tokens_) words_.push_back(upper_word(text, token));
    at_ = tokens_.size();
    for (size_t i = tokens_.size(); i-- > 0;) {
      if (tokens_[i].offset >= error_offset) at_ = i;
    }
  }

  const std::string& word(size_t i) const {
    static const std::string& none = *new std::string;
    return i < words_.size() ? words_[i] : none;
  }
  const std::string& error() const { return word(at_); }
  const std::string& before() const { return word(at_ - 1); }
  bool at_end() const { return at_ == tokens_.size(); }
  size_t error_index() const { return at_; }
  size_t size() const { return words_.size(); }

  std::optional<size_t> find(const std::vector<std::string>& sequence) const {
    const auto found = std::search(words_.begin(), words_.end(), sequence.begin(), sequence.end());
    if (found == words_.end()) return std::nullopt;
    return static_cast<size_t>(found - words_.begin());
  }
  bool has_unclosed_quote() const {
    return std::any_of(tokens_.begin(), tokens_.end(), [](const Token& t) { return !t.complete; });
  }
  // Parentheses open before token `end`.
  int open_parentheses(size_t end) const {
    int open = 0;
    for (size_t i = 0; i < end && i < words_.size(); ++i) {
      open += words_[i] == "(" ? 1 : words_[i] == ")" ? -1 : 0;
    }
    return open;
  }
  // Whether token i is inside of the parentheses of OPTIONS (…).
  bool within_options(size_t i) const {
    int open = 0;
    while (i-- > 0) {
      if (words_[i] == ")") ++open;
      if (words_[i] == "(" && open-- == 0) return i > 0 && words_[i - 1] == "OPTIONS";
    }
    return false;
  }
  bool error_is_text() const { return !at_end() && tokens_[at_].kind == Token::Kind::kString; }

 private:
  const std::vector<Token>& tokens_;
  std::vector<std::string> words_;
  size_t at_ = 0;
};

std::string quote_hint(const Reader& reader) {
  return reader.has_unclosed_quote() ? "a quote or comment is opened and never closed" : "";
}

std::string dialect_hint(const Reader& reader) {
  for (const Dialect& dialect : dialects()) {
    if (reader.find(dialect.words)) return dialect.hint;
  }
  return "";
}

std::string view_option_hint(const Reader& reader) {
  const auto query = reader.find({"AS", "SELECT"});
  const bool trailing = reader.word(0) == "CREATE" && query && reader.error() == "(" &&
                        reader.before() == "WITH" && *query < reader.error_index();
  return trailing
             ? "options stand before the query: CREATE MATERIALIZED VIEW v WITH (…) AS SELECT …"
             : "";
}

std::string foreign_table_hint(const Reader& reader) {
  if (!reader.find({"CREATE", "FOREIGN", "TABLE"})) return "";
  if (reader.error() == "OPTIONS" && (reader.before() == "NULL" || reader.before() == "KEY")) {
    return "a column's OPTIONS stand directly behind its type, before NOT NULL and PRIMARY KEY";
  }
  if (reader.within_options(reader.error_index())) {
    if (reader.error() == "=") return "options are written without =: topic 'sales'";
    if (!reader.error_is_text()) return "option values are texts in single quotes: topic 'sales'";
  }
  if (!reader.find({"SERVER"})) {
    return "write CREATE FOREIGN TABLE name (column type, …) SERVER log OPTIONS (topic '…')";
  }
  return "";
}

std::string punctuation_hint(const Reader& reader) {
  if (reader.error_index() > 0 && reader.before() == ",") {
    if (reader.at_end() || reader.error() == ")" || reader.error() == "," ||
        reader.error() == "FROM") {
      return "a comma too many, or something is missing behind it";
    }
  }
  if (reader.error() == ")" && reader.open_parentheses(reader.error_index()) <= 0) {
    return "no parenthesis is open here";
  }
  if (reader.open_parentheses(reader.size()) > 0) return "a parenthesis is not closed";
  return "";
}

std::string name_hint(const Reader& reader) {
  const auto reserved_name = [](const std::string& word) {
    return absl::StrCat("\"", absl::AsciiStrToLower(word),
                        "\" is a reserved word; in double quotes it can be a name");
  };
  const auto names_something = [](const std::string& before) {
    return before == "(" || before == "," || before == "AS" || before == "." ||
           before == "SELECT" || before == "FROM";
  };
  if (contains(kReserved, reader.error()) && names_something(reader.before())) {
    return reserved_name(reader.error());
  }
  const size_t at = reader.error_index();
  if (at >= 2 && contains(kReservedNouns, reader.before()) &&
      names_something(reader.word(at - 2))) {
    return reserved_name(reader.before());
  }
  return "";
}

std::string first_word_hint(const Reader& reader) {
  if (reader.error_index() != 0) return "";
  if (reader.error() == "SUBSCRIBE") return "read a view with SELECT … FROM it";
  const auto near = closest(reader.error(), {"CREATE", "SELECT", "INSERT", "WITH"});
  return near ? absl::StrCat("did you mean ", *near, "?")
              : "a statement begins with CREATE FOREIGN TABLE, CREATE MATERIALIZED VIEW or INSERT "
                "INTO";
}

std::string misspelling_hint(const Reader& reader) {
  const std::vector<std::string> clauses(kClauses.begin(), kClauses.end());
  for (const std::string& word : {reader.error(), reader.before()}) {
    if (contains(kClauses, word)) continue;
    const auto near = closest(word, clauses);
    if (near) return absl::StrCat("did you mean ", *near, "?");
  }
  return "";
}

}  // namespace

std::string syntax_hint(std::string_view text, const StatementText& statement,
                        size_t error_offset) {
  const Reader reader(text, statement, error_offset);
  for (auto* rule : {quote_hint, dialect_hint, view_option_hint, punctuation_hint,
                     foreign_table_hint, name_hint, first_word_hint, misspelling_hint}) {
    if (std::string hint = rule(reader); !hint.empty()) return hint;
  }
  return "";
}

}  // namespace kappa::sql
