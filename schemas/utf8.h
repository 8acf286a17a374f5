#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace kappa::schemas {

// Whether the bytes are well-formed UTF-8.
bool is_valid_utf8(std::string_view bytes);

// Whether all bytes are ASCII, which most texts are: then nothing else needs to be checked.
inline bool is_ascii(std::string_view bytes) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t high = 0;
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, 8);
    high |= word;
  }
  for (; left > 0; ++at, --left) high |= static_cast<uint8_t>(*at);
  return (high & kHighBits) == 0;
}

}  // namespace kappa::schemas
