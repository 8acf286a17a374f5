#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kappa::state {

// Rows of one size, by number, in segments of 16,384 that never move. New memory is zero. One
// thread.
class RowSegments {
 public:
  explicit RowSegments(uint32_t row_bytes) : row_bytes_(row_bytes) {}
  ~RowSegments();
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
    if (end_ >> kRowBits == segments_.size()) add_segment();
    return end_++;
  }
  uint32_t end() const { return end_; }
  uint32_t row_bytes() const { return row_bytes_; }
  size_t bytes() const { return size_t{end_} * row_bytes_; }

 private:
  static constexpr uint32_t kRowBits = 14;
  static constexpr uint32_t kRowMask = (1u << kRowBits) - 1;

  size_t segment_bytes() const;
  void add_segment();

  uint32_t row_bytes_;
  uint32_t end_ = 0;
  std::vector<std::byte*> segments_;
};

}  // namespace kappa::state
