#pragma once

#include <cstddef>
#include <utility>

namespace kappa::state {

// Zeroed memory straight from the kernel. It takes room only where it is written.
class MappedMemory {
 public:
  enum class Pages { kOrdinary, kHuge };

  // With huge pages, `bytes` is rounded up to whole ones, and the memory begins at one. They save
  // most TLB misses of a large table, and make small ones larger than they need be. Where the
  // kernel has none, ordinary ones do.
  MappedMemory(size_t bytes, Pages pages);
  ~MappedMemory();
  MappedMemory(MappedMemory&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), bytes_(other.bytes_) {}
  MappedMemory& operator=(MappedMemory&&) = delete;

  std::byte* begin() const { return begin_; }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* begin_;
  size_t bytes_;
};

inline constexpr size_t kHugePageBytes = 2u << 20;

}  // namespace kappa::state
