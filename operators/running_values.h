#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "engine/types/column.h"
#include "operators/plan.h"
#include "state/table.h"

namespace kappa::operators {

// Whether a function over a frame can be kept as a running value: it can be taken back exactly, or
// is the least or greatest of values in 64 bits, and the frame is one of time. `argument`: its
// type, kNull for count(*).
bool is_running(const FrameCall& call, Type argument);
bool is_running(const SlidingNode& op, const Schema& input);  // all of its calls are
// Whether it is one event of its frame that answers: first_value, last_value, lag.
bool picks_event(FrameFunction function);
// Of so many calls at most.
inline constexpr size_t kRunningCallsMax = 32;

// What the calls of a Sliding node keep running, and where: which events a call sees, the moments
// at which they enter and leave its frame, and the fields of a partition's row that hold its count
// and sum. Calls share what they have in common. Immutable.
//
// What picks one event of its frame (first_value, last_value, lag) is answered by the event itself,
// which an EventChain finds; null is a value to it as any other.
//
// An event with time t has passed a threshold once the largest time of all, T, is beyond t + its
// delay: that is how it leaves frames, and how it enters those that end in the past; it enters the
// others when it arrives.
class RunningValues {
 public:
  RunningValues(const Plan& plan, const PlanNode& node, uint64_t operator_id);

  // What calls see of an event: its argument, if it is not null and the filter is true.
  struct Slot {
    int argument = -1;  // input column; -1: every event
    int filter = -1;    // input column; -1: none
    bool sums = false;
    bool squares = false;   // sums them too
    bool extremes = false;  // asks for the least or greatest
    bool distinct = false;
    bool picked = false;  // asks for single values, and has them as they are
    bool has_value() const { return sums || extremes || picked; }
    // In the event's record: its value, i64; of doubles the rank, or the bits if `picked`.
    uint32_t value_offset = 0;
    uint32_t pair_offset = 0;  // its row in `pairs`, u32; if it counts distinct values
    // Partition columns and value → how many events with it each frame holds, then the largest
    // event time.
    std::unique_ptr<state::Table> pairs = nullptr;
  };
  struct Pick {
    FrameFunction function;
    int64_t distance;  // of lag
    // Of first_value, the first event with a time of `first_from` or later, if it is known.
    state::RowField first_known;  // bigint: 0 or 1
    state::RowField first_from;   // bigint
    state::RowField first_time;   // bigint
    state::RowField first_value;  // bigint, or null
  };
  struct Running {
    size_t slot;
    Frame frame;
    size_t leaves;                 // threshold; not of an extreme or pick
    std::optional<size_t> enters;  // threshold; none: on arrival
    bool distinct = false;
    bool sums = false;     // has `sum`
    bool squares = false;  // has `squares_low` and `squares_high`
    // Its number among the least and greatest values, which have no fields.
    std::optional<size_t> extreme;
    std::optional<Pick> pick;
    bool counts = true;     // neither of the two: has a count, and what the slot asks for
    state::RowField count;  // bigint; of distinct values if `distinct`
    state::RowField sum;    // 128 bits
    // 128 bits each (deviation.h).
    state::RowField squares_low;
    state::RowField squares_high;
    state::RowField in_pairs;  // bigint, if `distinct`
  };
  struct Threshold {
    int64_t delay_us;
    std::vector<size_t> entering;  // running values
    std::vector<size_t> leaving;
    state::RowField passed;  // bigint: 1 + number of the last event that passed; 0: none
  };

  const std::vector<Slot>& slots() const { return slots_; }
  // Those of the slots that have a value, and that count distinct ones.
  const std::vector<size_t>& value_slots() const { return value_slots_; }
  const std::vector<size_t>& distinct_slots() const { return distinct_slots_; }
  const std::vector<Running>& running() const { return running_; }
  const std::vector<Threshold>& thresholds() const { return thresholds_; }
  const std::vector<size_t>& entering_on_arrival() const { return on_arrival_; }
  // By number: whether it is the least.
  const std::vector<bool>& extremes() const { return extremes_; }
  // Those that pick the first event of their frame.
  const std::vector<size_t>& firsts() const { return firsts_; }
  bool picks() const { return span_offset_ != 0; }  // some of them do
  // In the event's record, if `picks()`: its EventChain::Span, of so many bytes.
  uint32_t span_offset() const { return span_offset_; }
  static constexpr uint32_t kSpanBytes = 32;
  // kNothingRuns: of is_late(), which looks at the row alone.
  static constexpr size_t kNothingRuns = ~size_t{0};
  size_t running_of_call(size_t call) const { return running_of_call_[call]; }

  // A row a partition: key = its columns. Not stored: made from the events.
  state::Table& partitions() { return *partitions_; }
  const state::Table& partitions() const { return *partitions_; }
  state::RowField last;      // bigint: 1 + number of its last event; 0: none
  state::RowField time_max;  // bigint: the largest event time
  uint32_t record_bytes() const { return record_bytes_; }

 private:
  size_t slot_of(const FrameCall& call);
  size_t threshold_of(int64_t delay_us);
  size_t running_of(const FrameCall& call, size_t slot);

  std::vector<Slot> slots_;
  std::vector<size_t> value_slots_;
  std::vector<size_t> distinct_slots_;
  std::vector<Running> running_;
  std::vector<Threshold> thresholds_;
  std::vector<size_t> on_arrival_;
  std::vector<bool> extremes_;
  std::vector<size_t> firsts_;
  std::vector<size_t> running_of_call_;
  std::unique_ptr<state::Table> partitions_;
  uint32_t record_bytes_ = 0;
  uint32_t span_offset_ = 0;
};

// What an event's record begins with; its span, if calls pick events, and the slots' values follow.
struct EventHeader {
  int64_t time_us;
  int64_t time_max_us;  // of this and the earlier events of the partition
  uint64_t previous;    // 1 + number of the event before it in its partition; 0: none
  uint32_t number;      // among the partition's events of this time
  state::RowId partition;
  uint32_t seen;          // a bit a slot
  uint32_t out_of_order;  // an event with a later time had come before it
};

// What lies at an offset of an event's record.
template <typename T>
T value_at(const EventHeader& event, uint32_t offset) {
  T value;
  std::memcpy(&value, reinterpret_cast<const std::byte*>(&event) + offset, sizeof(value));
  return value;
}

// A bigint field that is not null.
inline int64_t& number(std::byte* row, const state::RowField& field) {
  return state::Table::get<int64_t>(row, field);
}
inline int64_t number(const std::byte* row, const state::RowField& field) {
  return state::Table::get<int64_t>(row, field);
}

}  // namespace kappa::operators
