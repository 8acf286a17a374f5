#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace kappa {

// Bytes that live elsewhere: in a record block or an Arena. Valid until the epoch (or the query)
// that made the batch ends. `size` is at most kTextBytesMax.
struct StringRef {
  const char* data = nullptr;
  uint32_t size = 0;

  std::string_view view() const { return {data, size}; }
  bool operator==(const StringRef& other) const {
    return size == other.size && (size == 0 || std::memcmp(data, other.data, size) == 0);
  }
};
static_assert(sizeof(StringRef) == 16);

// The longest text or bytea value: 16 MiB.
inline constexpr uint32_t kTextBytesMax = 16u << 20;

}  // namespace kappa
