#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Protobuf's wire format, written by hand for tests.
namespace kappa::schemas {

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string tag(uint32_t number, uint32_t wire_type) {
  return varint(uint64_t{number} << 3 | wire_type);
}
inline std::string varint_field(uint32_t number, uint64_t value) {
  return tag(number, 0) + varint(value);
}
inline std::string bytes_field(uint32_t number, std::string_view bytes) {
  return tag(number, 2) + varint(bytes.size()) + std::string(bytes);
}
inline std::string double_field(uint32_t number, double value) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &value, 8);
  return tag(number, 1) + bytes;
}
inline std::string fixed32_field(uint32_t number, uint32_t value) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &value, 4);
  return tag(number, 5) + bytes;
}

}  // namespace kappa::schemas
