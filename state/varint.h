#pragma once

#include <cstdint>
#include <string_view>

// Unsigned numbers in as few bytes as they need: seven bits a byte, the lowest first, the top bit
// says that more follow.
namespace kappa::state {

inline constexpr size_t kVarintBytesMax = 10;

// Returns the end.
inline char* put_varint(uint64_t value, char* to) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

// Takes one off the front; false if there is none.
inline bool take_varint(std::string_view* rest, uint64_t* value) {
  *value = 0;
  for (uint32_t shift = 0; shift < 64 && !rest->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(rest->front());
    rest->remove_prefix(1);
    *value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

}  // namespace kappa::state
