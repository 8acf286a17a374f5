#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/mapped_memory.h"

namespace kappa::state {

// Rows of one size, by number, in segments of 16,384 that never move. New memory is zero, and
// takes room only once it is written. One thread.
class RowSegments {
 public:
  explicit RowSegments(uint32_t row_bytes) : row_bytes_(row_bytes) {}
  RowSegments(const RowSegments&) = delete;
  RowSegments& operator=(const RowSegments&) = delete;

  std::byte* at(uint32_t row) {
    return segments_[row >> kRowBits] + size_t{row & kRowMask} * row_bytes_;
  }
  const std::byte* at(uint32_t row) const {
    return segments_[row >> kRowBits] + size_t{row & kRowMask} * row_bytes_;
  }

  // Makes room for one more row and returns its number: they count up from 0.
  uint32_t add() {
    if (end_ >> kRowBits == segments_.size()) add_region();
    return end_++;
  }
  uint32_t end() const { return end_; }
  uint32_t row_bytes() const { return row_bytes_; }
  size_t bytes() const { return size_t{end_} * row_bytes_; }

 private:
  static constexpr uint32_t kRowBits = 14;
  static constexpr uint32_t kRowMask = (1u << kRowBits) - 1;

  void add_region();

  uint32_t row_bytes_;
  uint32_t end_ = 0;
  std::vector<std::byte*> segments_;
  std::vector<MappedMemory> regions_;  // which the segments are cut from
};

}  // namespace kappa::state
