#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/types/string_ref.h"

namespace kappa::state {

// A string that a row owns: up to 12 bytes inline, longer ones on the heap. 16 bytes, as a
// StringRef; all zero is the empty string.
//
//   size u32 | 12 bytes                        up to 12 bytes
//   size u32 | first 4 bytes | block pointer   longer
//
// Rows are copied as bytes, so nothing happens by itself: who copies a row calls share() on the
// copy, and who drops one calls release(). Bytes never change while they have more than one owner.
// One thread.
class OwnedString {
 public:
  static constexpr uint32_t kInlineMax = 12;

  uint32_t size() const { return size_; }
  const char* data() const { return is_inline() ? bytes_ : block_bytes(); }
  std::string_view view() const { return {data(), size_}; }
  bool is_inline() const { return size_ <= kInlineMax; }

  bool equals(const StringRef& other) const {
    if (size_ != other.size) return false;
    if (is_inline()) return size_ == 0 || std::memcmp(bytes_, other.data, size_) == 0;
    return std::memcmp(bytes_, other.data, kPrefix) == 0 &&
           std::memcmp(block_bytes() + kPrefix, other.data + kPrefix, size_ - kPrefix) == 0;
  }

  // Fetches bytes that lie on the heap.
  void prefetch() const {
    if (!is_inline()) __builtin_prefetch(block());
  }

  // Takes a copy of `value`, which may not point into this string, and gives up what was there.
  // Returns by how many bytes the heap in use grew.
  ptrdiff_t assign(std::string_view value);
  // One more owner of the bytes: this string was just copied as bytes.
  void share();
  // Gives up the bytes and becomes empty. Returns how many bytes of heap this freed: none while
  // they have another owner.
  size_t release();

 private:
  static constexpr uint32_t kPrefix = 4;
  struct Block;  // owners u32 | bytes
  static constexpr size_t kBlockHeader = sizeof(uint32_t);
  static constexpr size_t kPointer = sizeof(void*);

  Block* block() const {
    Block* block;
    std::memcpy(&block, bytes_ + kPrefix, kPointer);
    return block;
  }
  const char* block_bytes() const { return reinterpret_cast<const char*>(block()) + kBlockHeader; }

  uint32_t size_ = 0;
  char bytes_[kInlineMax] = {};
  // The block pointer lies in bytes_ from the 4th on: 8 bytes into the object.
} __attribute__((aligned(8)));
static_assert(sizeof(OwnedString) == 16 && alignof(OwnedString) == 8);

}  // namespace kappa::state
