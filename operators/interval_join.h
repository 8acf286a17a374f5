#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "operators/operator.h"
#include "operators/timed_rows.h"
#include "operators/timers.h"

namespace kappa::operators {

// The interval join of two append-only inputs, inner or left, on one worker: it keeps the rows of
// both sides whose join key falls to it, for as long as one that comes may match them.
//
// State: a table a side, see TimedRows.
//
//   row arrives ─► further below the watermark than the grace? ─yes─► late output
//                      │no
//                      ▼
//        pairs with the other side's rows, by time ─► kept, if others may still come
//                                                       │ watermark > time + bound + grace
//                                                       ▼
//                 outer, a left row without a match: given out with NULLs ─► forgotten
//
// A row in time finds all its matches: what is kept reaches back as far as the bounds do from the
// watermark. A row whose join key is NULL in some column matches nothing and is not kept.
class IntervalJoin final : public JoinOperator {
 public:
  IntervalJoin(const Plan& plan, NodeId node);

  void process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                    std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override;
  void restored(int64_t watermark_us) override;

 private:
  enum : size_t { kLeft = 0, kRight = 1 };
  struct Pairs;
  struct Arrival {
    size_t side;
    size_t row;
  };
  // A kept row, by its due time.
  struct Timer {
    size_t side;
    state::RowId series;
    state::RowId row;
  };

  void find_series(size_t side, const Batch& batch);
  void arrive(const Arrival& arrival, const OperatorContext& context, Pairs& pairs);
  // True if the row of a batch found a match.
  bool give_out_pairs(const Arrival& arrival, Pairs& pairs);
  void fire(RowPlace place, Pairs& pairs);
  void drop_empty_series();
  bool key_is_null(const Arrival& arrival) const;
  // The watermark at which nothing can match a row of this time any more.
  int64_t due_us(size_t side, int64_t time_us) const;

  const PlanNode& node_;
  const IntervalJoinNode& op_;
  const std::array<const Schema*, 2> schemas_;
  const TimerOwner timer_owner_;
  std::array<std::unique_ptr<TimedRows>, 2> sides_;
  // By join key; a row's id names the series of both sides.
  std::unique_ptr<state::Table> series_;
  absl::btree_map<int64_t, std::vector<Timer>> timers_;
  // Scratch of one process_both().
  std::array<const Batch*, 2> batches_ = {};
  std::array<std::vector<ColumnRef>, 2> keys_;
  std::array<std::vector<state::RowId>, 2> series_of_;  // by row of the batch
  std::vector<state::RowId> seen_;                      // series that may be empty by now
};

}  // namespace kappa::operators
