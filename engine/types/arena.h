#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/types/string_ref.h"

namespace kappa {

// A bump allocator for the strings that an epoch or a query computes. One thread. What it hands out
// lives until reset() or destruction.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  // `size` writable bytes, aligned to 8.
  char* allocate(size_t size) {
    const size_t rounded = (size + 7) & ~size_t{7};
    if (rounded > left_) [[unlikely]]
      return allocate_slow(rounded);
    char* bytes = next_;
    next_ += rounded;
    left_ -= rounded;
    return bytes;
  }
  // A copy of `bytes`.
  StringRef copy(std::string_view bytes);
  // Frees everything but the first chunk.
  void reset();
  size_t bytes_reserved() const { return reserved_; }

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  char* allocate_slow(size_t rounded);
  char* add_chunk(size_t size);

  std::vector<Chunk> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t reserved_ = 0;
};

}  // namespace kappa
