#include "engine/sql/parser/token.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace kappa::sql {
namespace {

bool is_word_start(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}
bool is_word_part(char c) {
  return is_word_start(c) || is_digit(c) || c == '$';
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    // A byte order mark is white space to us.
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    for (skip_blank(); at_ < text_.size(); skip_blank()) tokens_.push_back(next());
    return std::move(tokens_);
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void skip_blank() {
    while (at_ < text_.size()) {
      if (absl::ascii_isspace(static_cast<unsigned char>(peek()))) {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (peek() == '/' && peek(1) == '*' && closes_comment()) {
        // closes_comment() has moved on.
      } else {
        return;
      }
    }
  }

  // Comments nest. An open one is no blank: the parser is to complain about it.
  bool closes_comment() {
    int depth = 0;
    for (size_t i = at_; i + 1 < text_.size(); ++i) {
      if (text_[i] == '/' && text_[i + 1] == '*') {
        ++depth;
        ++i;
      } else if (text_[i] == '*' && text_[i + 1] == '/') {
        ++i;
        if (--depth == 0) {
          at_ = i + 1;
          return true;
        }
      }
    }
    return false;
  }

  Token next() {
    const size_t begin = at_;
    if (peek() == '/' && peek(1) == '*') {
      at_ = text_.size();
      return {Token::Kind::kSign, begin, at_ - begin, false};
    }
    if (peek() == '\'') return quoted(Token::Kind::kString, begin, '\'', false);
    if (peek() == '"') return quoted(Token::Kind::kQuotedName, begin, '"', false);
    if (peek() == '$') return dollar_or_sign(begin);
    if (is_digit(peek()))
      return while_true(Token::Kind::kNumber, [](char c) { return is_word_part(c) || c == '.'; });
    if (is_word_start(peek())) return word(begin);
    ++at_;
    return {Token::Kind::kSign, begin, 1, true};
  }

  template <typename Belongs>
  Token while_true(Token::Kind kind, Belongs belongs) {
    const size_t begin = at_;
    while (at_ < text_.size() && belongs(peek())) ++at_;
    return {kind, begin, at_ - begin, true};
  }

  // E'…' knows backslashes; B'…', X'…' and N'…' are strings with a prefix, U&"…" is a name.
  Token word(size_t begin) {
    const char first = absl::ascii_tolower(static_cast<unsigned char>(peek()));
    if (peek(1) == '\'' && (first == 'e' || first == 'b' || first == 'x' || first == 'n')) {
      ++at_;
      return quoted(Token::Kind::kString, begin, '\'', first == 'e');
    }
    if (first == 'u' && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
      at_ += 2;
      const bool name = peek() == '"';
      return quoted(name ? Token::Kind::kQuotedName : Token::Kind::kString, begin, peek(), false);
    }
    return while_true(Token::Kind::kWord, is_word_part);
  }

  Token quoted(Token::Kind kind, size_t begin, char quote, bool backslashes) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (backslashes && peek() == '\\') {
        ++at_;
      } else if (peek() == quote) {
        if (peek(1) != quote) {
          ++at_;
          return {kind, begin, at_ - begin, true};
        }
        ++at_;
      }
    }
    at_ = text_.size();
    return {kind, begin, at_ - begin, false};
  }

  // $tag$ … $tag$ is a string; $1 a parameter.
  Token dollar_or_sign(size_t begin) {
    size_t end = at_ + 1;
    while (end < text_.size() && is_word_part(text_[end]) && text_[end] != '$') ++end;
    const bool is_tag = end < text_.size() && text_[end] == '$' && !is_digit(peek(1));
    if (!is_tag) {
      at_ = end;
      return {Token::Kind::kSign, begin, at_ - begin, true};
    }
    const std::string_view tag = text_.substr(begin, end + 1 - begin);
    const size_t close = text_.find(tag, end + 1);
    const bool complete = close != std::string_view::npos;
    at_ = complete ? close + tag.size() : text_.size();
    return {Token::Kind::kString, begin, at_ - begin, complete};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  return Tokenizer(text).run();
}

std::string_view token_text(std::string_view text, const Token& token) {
  return text.substr(token.offset, token.size);
}

std::string upper_word(std::string_view text, const Token& token) {
  if (token.kind == Token::Kind::kQuotedName || token.kind == Token::Kind::kString) return "";
  std::string word(token_text(text, token));
  for (char& c : word) c = absl::ascii_toupper(static_cast<unsigned char>(c));
  return word;
}

std::vector<StatementText> split_statements(std::string_view text) {
  std::vector<StatementText> statements;
  StatementText current{0, 0, {}};
  const auto finish = [&] {
    if (current.tokens.empty()) return;
    current.begin = current.tokens.front().offset;
    current.end = current.tokens.back().offset + current.tokens.back().size;
    statements.push_back(std::move(current));
    current = {0, 0, {}};
  };
  for (const Token& token : tokenize(text)) {
    if (token.kind == Token::Kind::kSign && token_text(text, token) == ";") {
      finish();
    } else {
      current.tokens.push_back(token);
    }
  }
  finish();
  return statements;
}

}  // namespace kappa::sql
