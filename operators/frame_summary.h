#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "operators/plan.h"
#include "state/table.h"

namespace kappa::operators {

// The fields of a kept row that a call over a frame reads.
struct CallFields {
  std::optional<state::RowField> argument;
  std::optional<state::RowField> filter;
  // Whether the call sees the row: its argument is not null and its filter is true.
  bool sees(const std::byte* row) const;
};

// What min, max, count, and exact sums over a frame are made of, for a stretch of kept rows
// (TimeTree). Merging is exact, so that an answer is that of going through the rows one by one, in
// any order: of equal doubles, 0.0 stands for -0.0.
//
// A slot is what a call sees; calls that see the same share it. In a summary it is
//
//   count | sum, 128 bits, if it sums | least: its rank, its row | greatest: its rank, its row
//
// Ranks ascend with the values; equal ones may be of different values, which then are compared.
class FrameSummary {
 public:
  static constexpr bool kOrderFree = true;

  // `table` has the rows, `fields` by call; both outlive this.
  FrameSummary(const std::vector<FrameCall>& calls, const std::vector<CallFields>& fields,
               const state::Table& table);

  // Whether a call is answered by its slot.
  bool answers(size_t call) const { return slot_of_call_[call] >= 0; }
  void append_result(const FrameCall& call, size_t index, const int64_t* summary, Column& result,
                     Arena& arena) const;

  size_t words() const { return words_; }
  void clear(int64_t* into) const;
  void add(int64_t* into, uint64_t row) const;
  void merge(int64_t* into, const int64_t* later) const;

 private:
  struct Slot {
    int argument;
    int filter;
    CallFields fields;
    size_t count = 0;           // words in a summary
    std::optional<size_t> sum;  // by what the calls ask for
    std::optional<size_t> least;
    std::optional<size_t> greatest;
  };

  static bool is_summed(const FrameCall& call, const CallFields& fields);
  // Whether one value, with its rank and row, is less than another.
  bool less(const Slot& slot, const int64_t* a, const int64_t* b) const;
  void offer(const Slot& slot, bool least, const int64_t* value, int64_t* best) const;

  const state::Table& table_;
  std::vector<Slot> slots_;
  std::vector<int> slot_of_call_;  // -1: none
  size_t words_ = 0;
};

}  // namespace kappa::operators
