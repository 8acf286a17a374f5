#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "state/table.h"

namespace kappa::operators {

// The least (or greatest) value in a frame that moves on in time, partition by partition: of the
// events that have entered it, those that no other of their time or later has outdone. They are
// few: of n in no particular order, about ln n. Ascending in time, their values get worse and
// worse.
//
// After Lemire, Streaming maximum-minimum filter, 2006, but for events that come out of order.
class ExtremeValues {
 public:
  explicit ExtremeValues(bool least) : least_(least) {}

  // Whether value `a` is as good as `b` or better.
  bool outdoes(int64_t a, int64_t b) const { return least_ ? a <= b : a >= b; }

  // An event of the partition. Those with a time before `oldest_us`, which never falls, are no
  // longer asked for.
  void enter(state::RowId partition, int64_t time_us, int64_t value, int64_t oldest_us);
  void erase(state::RowId partition);

  // Of the events that have entered, with a time in [low_us, high_us].
  struct Found {
    std::optional<int64_t> best;  // of those before `open_from_us`
    int64_t open_from_us;  // from here on, some may have been outdone by events after `high_us`
  };
  Found best(state::RowId partition, int64_t low_us, int64_t high_us) const;

 private:
  struct Candidate {
    int64_t time_us;
    int64_t value;
  };
  using Candidates = absl::InlinedVector<Candidate, 2>;

  bool least_;
  std::deque<Candidates> partitions_;  // by row
};

}  // namespace kappa::operators
