#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/types/string_ref.h"
#include "operators/functions_kernel.h"

// Text as characters. A character is a byte that does not continue another one and all those that
// continue it; so every text has characters, whether it is well-formed UTF-8 or not, and no
// function here reads beyond its end. Internal to operators/functions_*.cpp.
namespace kappa::operators {

inline bool continues_character(char byte) {
  return (static_cast<uint8_t>(byte) & 0xc0) == 0x80;
}

bool is_ascii(std::string_view text);
int64_t count_characters(std::string_view text);

// The byte at which the character begins that has `count` characters before it; the end of the text
// if there are fewer.
size_t offset_of_character(std::string_view text, int64_t count);

// Decodes the character at `at` and moves `at` beyond it. Malformed bytes are U+FFFD.
char32_t next_character(std::string_view text, size_t* at);
// Writes a character, 1 to 4 bytes; returns how many.
size_t write_character(char32_t character, char* to);
inline constexpr size_t kCharacterBytesMax = 4;

// Simple case mapping (one character to one) of ASCII, Latin-1, Latin Extended-A, Greek and
// Cyrillic; other characters stay as they are.
char32_t to_lower(char32_t character);
char32_t to_upper(char32_t character);
bool is_letter_or_digit(char32_t character);

// A text in one case. No longer than `text`: the letters that are mapped have as many bytes in one
// case as in the other, or fewer.
StringRef lower_text(std::string_view text, Arena& arena);
StringRef upper_text(std::string_view text, Arena& arena);

// Fails the row and returns false if a result of `bytes` is longer than a text may be.
bool fits_text(const RowScope& scope, uint64_t bytes);

// A piece of a text, without a copy.
inline StringRef piece_of(StringRef text, size_t from, size_t to) {
  return {text.data + from, static_cast<uint32_t>(to - from)};
}

}  // namespace kappa::operators
