#include "operators/functions_utf8.h"

#include <cstring>
#include <string>

namespace kappa::operators {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool between(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

// Latin Extended-A: pairs of an upper and a lower letter, which are even and odd in some stretches
// and odd and even in others.
bool is_even_odd_pair(char32_t c) {
  return between(c, 0x100, 0x12F) || between(c, 0x132, 0x137) || between(c, 0x14A, 0x177);
}
bool is_odd_even_pair(char32_t c) {
  return between(c, 0x139, 0x148) || between(c, 0x179, 0x17E);
}

char32_t lower_beyond_ascii(char32_t c) {
  if (between(c, 0xC0, 0xDE) && c != 0xD7) return c + 32;
  if (is_even_odd_pair(c)) return c | 1;
  if (is_odd_even_pair(c)) return c + (c & 1);
  if (c == 0x178) return 0xFF;
  if (between(c, 0x391, 0x3AB) && c != 0x3A2) return c + 32;
  if (between(c, 0x388, 0x38A)) return c + 37;
  if (c == 0x386) return 0x3AC;
  if (c == 0x38C) return 0x3CC;
  if (between(c, 0x38E, 0x38F)) return c + 63;
  if (between(c, 0x410, 0x42F)) return c + 32;
  if (between(c, 0x400, 0x40F)) return c + 80;
  if (between(c, 0x460, 0x481) || between(c, 0x48A, 0x4BF)) return c | 1;
  if (c == 0x1E9E) return 0xDF;
  return c;
}

char32_t upper_beyond_ascii(char32_t c) {
  if (between(c, 0xE0, 0xFE) && c != 0xF7) return c - 32;
  if (c == 0xFF) return 0x178;
  if (is_even_odd_pair(c)) return c & ~char32_t{1};
  if (is_odd_even_pair(c)) return c - (1 - (c & 1));
  if (c == 0x3C2) return 0x3A3;
  if (between(c, 0x3B1, 0x3CB)) return c - 32;
  if (between(c, 0x3AD, 0x3AF)) return c - 37;
  if (c == 0x3AC) return 0x386;
  if (c == 0x3CC) return 0x38C;
  if (between(c, 0x3CD, 0x3CE)) return c - 63;
  if (between(c, 0x430, 0x44F)) return c - 32;
  if (between(c, 0x450, 0x45F)) return c - 80;
  if (between(c, 0x460, 0x481) || between(c, 0x48A, 0x4BF)) return c & ~char32_t{1};
  return c;
}

// The bytes that a character beginning with `lead` has; 0 if none begins so.
size_t length_of_lead(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

// Maps every character. In ASCII the 26 letters from `kFirst` on move by kStep, which the
// vectoriser does for many at once.
template <char32_t (*kMap)(char32_t), char kFirst, int kStep>
StringRef map_text(std::string_view text, Arena& arena) {
  char* to = arena.allocate(text.size());
  if (is_ascii(text)) {
    for (size_t i = 0; i < text.size(); ++i) {
      const bool moves = static_cast<uint8_t>(text[i] - kFirst) < 26;
      to[i] = static_cast<char>(text[i] + (moves ? kStep : 0));
    }
    return {to, static_cast<uint32_t>(text.size())};
  }
  size_t size = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t from = next_character(text, &at);
    const char32_t mapped = kMap(from);
    if (mapped == from) {  // malformed bytes stay as they are
      std::memcpy(to + size, text.data() + begin, at - begin);
      size += at - begin;
    } else {
      size += write_character(mapped, to + size);
    }
  }
  return {to, static_cast<uint32_t>(size)};
}

}  // namespace

bool is_ascii(std::string_view text) {
  uint8_t bits = 0;
  for (const char c : text) bits |= static_cast<uint8_t>(c);
  return bits < 0x80;
}

int64_t count_characters(std::string_view text) {
  int64_t count = 0;
  for (const char c : text) count += continues_character(c) ? 0 : 1;
  // A text that begins with continuing bytes: they are its first character.
  return !text.empty() && continues_character(text[0]) ? count + 1 : count;
}

size_t offset_of_character(std::string_view text, int64_t count) {
  if (count <= 0) return 0;
  for (size_t at = 1; at < text.size(); ++at) {
    if (!continues_character(text[at]) && --count == 0) return at;
  }
  return text.size();
}

char32_t next_character(std::string_view text, size_t* at) {
  const auto lead = static_cast<uint8_t>(text[*at]);
  const size_t begin = (*at)++;
  while (*at < text.size() && continues_character(text[*at])) ++*at;
  const size_t length = length_of_lead(lead);
  if (length == 1 && *at == begin + 1) return lead;
  if (length != *at - begin || length < 2) return kReplacement;
  char32_t character = lead & (0x7Fu >> length);
  for (size_t i = begin + 1; i < *at; ++i) {
    character = (character << 6) | (static_cast<uint8_t>(text[i]) & 0x3Fu);
  }
  const bool is_longer_than_needed =
      (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
  if (is_longer_than_needed || character > 0x10FFFF || between(character, 0xD800, 0xDFFF)) {
    return kReplacement;
  }
  return character;
}

size_t write_character(char32_t c, char* to) {
  const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<uint8_t>(bits)); };
  if (c < 0x80) {
    to[0] = byte(c);
    return 1;
  }
  if (c < 0x800) {
    to[0] = byte(0xC0 | (c >> 6));
    to[1] = byte(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    to[0] = byte(0xE0 | (c >> 12));
    to[1] = byte(0x80 | ((c >> 6) & 0x3F));
    to[2] = byte(0x80 | (c & 0x3F));
    return 3;
  }
  to[0] = byte(0xF0 | (c >> 18));
  to[1] = byte(0x80 | ((c >> 12) & 0x3F));
  to[2] = byte(0x80 | ((c >> 6) & 0x3F));
  to[3] = byte(0x80 | (c & 0x3F));
  return 4;
}

char32_t to_lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return lower_beyond_ascii(c);
}

char32_t to_upper(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
  return upper_beyond_ascii(c);
}

bool is_letter_or_digit(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c >= 0xC0 && c != 0xD7 && c != 0xF7 && c != kReplacement && !between(c, 0x2000, 0x206F);
}

StringRef lower_text(std::string_view text, Arena& arena) {
  return map_text<&to_lower, 'A', +32>(text, arena);
}

StringRef upper_text(std::string_view text, Arena& arena) {
  return map_text<&to_upper, 'a', -32>(text, arena);
}

bool fits_text(const RowScope& scope, uint64_t bytes) {
  if (bytes <= kTextBytesMax) return true;
  scope.fail([=] {
    return "text of " + std::to_string(bytes) + " bytes is longer than the most, " +
           std::to_string(kTextBytesMax);
  });
  return false;
}

}  // namespace kappa::operators
