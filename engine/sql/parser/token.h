#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kappa::sql {

// A word or sign of a SQL text, by PostgreSQL's lexical rules as far as splitting and hints need
// them.
struct Token {
  enum class Kind : uint8_t { kWord, kQuotedName, kString, kNumber, kSign };
  Kind kind;
  size_t offset;         // of its first byte
  size_t size;           // bytes
  bool complete = true;  // false: a quote that nothing closes
};

// The tokens of `text`; comments and white space are left out.
std::vector<Token> tokenize(std::string_view text);

// The bytes of a token; words in upper case with upper_word().
std::string_view token_text(std::string_view text, const Token& token);
std::string upper_word(std::string_view text, const Token& token);

// A statement of a text: its tokens, without the semicolon that ends it.
struct StatementText {
  size_t begin;  // byte offset of its first token
  size_t end;    // behind its last token
  std::vector<Token> tokens;
};

// Splits at every semicolon outside of quotes and comments, whatever the parentheses: a statement
// with one too many does not swallow those after it. Empty statements are left out.
std::vector<StatementText> split_statements(std::string_view text);

}  // namespace kappa::sql
