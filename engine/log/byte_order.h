#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace kappa::log {

// Fixed-width big-endian integers, as Kafka writes them.
template <typename Integer>
Integer load_big_endian(const void* bytes) {
  static_assert(std::endian::native == std::endian::little, "bytes are swapped below");
  Integer value;
  std::memcpy(&value, bytes, sizeof(value));
  if constexpr (sizeof(Integer) == 2)
    return static_cast<Integer>(__builtin_bswap16(static_cast<uint16_t>(value)));
  if constexpr (sizeof(Integer) == 4)
    return static_cast<Integer>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(Integer) == 8)
    return static_cast<Integer>(__builtin_bswap64(static_cast<uint64_t>(value)));
  return value;
}

template <typename Integer>
void store_big_endian(void* bytes, Integer value) {
  const Integer swapped = load_big_endian<Integer>(&value);
  std::memcpy(bytes, &swapped, sizeof(swapped));
}

}  // namespace kappa::log
