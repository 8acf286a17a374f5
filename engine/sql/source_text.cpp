#include "engine/sql/source_text.h"

#include <algorithm>

namespace kappa::sql {
namespace {

// Bytes 10xxxxxx go on with a character that began before.
bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The length of a character by its first byte; 0: no character begins so.
size_t character_bytes(unsigned char first) {
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF: told by the second byte.
bool second_byte_fits(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second < 0xA0;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second < 0x90;
    default:
      return true;
  }
}

}  // namespace

SourceText::SourceText(std::string file, std::string text, const operators::Models* models,
                       size_t lines_ahead)
    : file_(std::move(file)), text_(std::move(text)), models_(models), lines_ahead_(lines_ahead) {
  line_starts_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

const operators::Models& SourceText::models() const {
  static const auto& none = *new operators::Models();
  return models_ ? *models_ : none;
}

size_t SourceText::line_index(size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<size_t>(after - line_starts_.begin()) - 1;
}

size_t SourceText::of_user(size_t offset) const {
  return std::clamp(offset, line_starts_[lines_ahead_], text_.size());
}

operators::SqlPosition SourceText::position(size_t offset) const {
  offset = of_user(offset);
  const size_t line = line_index(offset);
  uint32_t column = 1;
  for (size_t i = line_starts_[line]; i < offset; ++i) {
    if (!continues_character(text_[i])) ++column;
  }
  return {static_cast<uint32_t>(line + 1 - lines_ahead_), column};
}

size_t SourceText::offset(operators::SqlPosition position) const {
  const size_t line = std::min(lines_ahead_ + position.line, line_starts_.size());
  size_t offset = line_starts_[line - 1];
  for (uint32_t column = 1; column < position.column && offset < text_.size(); ++column) {
    do {
      ++offset;
    } while (offset < text_.size() && continues_character(text_[offset]));
  }
  return offset;
}

std::string SourceText::line_at(size_t offset) const {
  const size_t start = line_starts_[line_index(of_user(offset))];
  size_t end = std::min(text_.find('\n', start), text_.size());
  if (end > start && text_[end - 1] == '\r') --end;
  return text_.substr(start, end - start);
}

size_t first_invalid_byte(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t bytes = character_bytes(first);
    if (bytes == 0 || i + bytes > text.size()) return i;
    for (size_t k = 1; k < bytes; ++k) {
      if (!continues_character(text[i + k])) return i;
    }
    if (bytes > 1 && !second_byte_fits(first, static_cast<unsigned char>(text[i + 1]))) return i;
    i += bytes;
  }
  return text.size();
}

}  // namespace kappa::sql
