#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "operators/deviation.h"
#include "operators/running_values.h"
#include "operators/time_tree.h"
#include "state/event_log.h"

namespace kappa::operators {

// Counts, sums, sums of squares and extremes of what the slots see of a stretch of events.
class EventSums {
 public:
  static constexpr bool kOrderFree = true;
  static constexpr size_t kWordsMax = 9 * kRunningCallsMax;

  // Both outlive this.
  EventSums(const RunningValues& values, const state::EventLog& log);

  int64_t count(const int64_t* sums, size_t slot) const { return sums[at_[slot]]; }
  int128 sum(const int64_t* sums, size_t slot) const;            // of a slot that sums
  SumOfSquares squares(const int64_t* sums, size_t slot) const;  // of one that sums squares

  // Of one that asks for extremes and has a count.
  int64_t least(const int64_t* sums, size_t slot) const { return sums[extremes_at_[slot]]; }
  int64_t greatest(const int64_t* sums, size_t slot) const { return sums[extremes_at_[slot] + 1]; }

  size_t words() const { return words_; }
  void clear(int64_t* into) const;
  void add(int64_t* into, uint64_t event) const;
  void merge(int64_t* into, const int64_t* later) const;

 private:
  void offer(size_t slot, int64_t least, int64_t greatest, int64_t* into) const;

  const RunningValues& values_;
  const state::EventLog& log_;
  std::vector<size_t> at_;  // by slot: its count; behind it its sum, and behind that its squares
  std::vector<size_t> extremes_at_;
  size_t words_ = 0;
};

// The events of some partitions in the order of event time: of those in which rows come so far out
// of order that going back through the partition's chain takes long. Made from the event log when
// need be, and forgotten when the need is over.
class DisorderIndex {
 public:
  using Events = TimeTree<EventSums>;
  // Of a chain, more are worth being noted with note_walk().
  static constexpr uint64_t kShortWalk = 64;

  DisorderIndex(const RunningValues& values, const state::EventLog& log)
      : log_(log), sums_(values, log) {}

  const EventSums& sums() const { return sums_; }
  // The partition's events, those before `oldest_us` left out, for an answer; null: go through the
  // chain.
  Events* find(state::RowId partition, int64_t oldest_us);
  // Of so many events of the partition's chain, which ends with event `last` - 1, an answer or
  // insertion has taken note. Makes the partition's index once that has become too costly.
  void note_walk(state::RowId partition, uint64_t steps, uint64_t last, int64_t oldest_us);
  // How many events of this time the partition has, if that is known.
  std::optional<uint32_t> number_of(state::RowId partition, int64_t time_us) const;

  void insert(state::RowId partition, uint64_t event) {
    if (!partitions_.empty()) insert_indexed(partition, event);
  }
  void erase(state::RowId partition) { partitions_.erase(partition); }

 private:
  struct Partition {
    Events events;
    bool made = false;
    uint64_t walked = 0;  // steps, until it is made
    uint64_t unused = 0;  // insertions since the last answer
  };

  const EventHeader& header(uint64_t event) const {
    return *reinterpret_cast<const EventHeader*>(log_.record(event));
  }
  void make(Partition& partition, uint64_t last, int64_t oldest_us);
  void insert_indexed(state::RowId partition, uint64_t event);

  const state::EventLog& log_;
  EventSums sums_;
  absl::flat_hash_map<state::RowId, Partition> partitions_;
};

}  // namespace kappa::operators
