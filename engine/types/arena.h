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
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // `size` writable bytes, aligned to 8.
  char* allocate(size_t size);
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
  std::vector<Chunk> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t reserved_ = 0;
};

}  // namespace kappa
