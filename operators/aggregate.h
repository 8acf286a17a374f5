#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "operators/accumulator.h"
#include "operators/emission.h"
#include "operators/group_values.h"
#include "operators/grouped_rows.h"
#include "operators/timers.h"

namespace kappa::operators {

// GROUP BY, with or without windows that lie fixed, on one worker: it holds the groups whose key
// falls to the worker. Its table is also what a view over it reads, so results are kept once.
//
// State: one row a group, key = group columns, then the window's name (operators/windows.h) if
// there are windows. A call that needs more than fields of that row has a table of its own beside
// it, see GroupSide.
//
//   row arrives, once for each of its windows ─► late? ─yes─► late output
//                    │no
//                    ▼
//             group's row updated ─► emits_changes: retract old, insert new
//                    │ watermark >= window_end + grace
//                    ▼
//             emit = final: insert the result            (the window is closed)
//                    │ watermark >= window_end + max(grace, retention)
//                    ▼
//             row removed; retracted if changes are emitted
class Aggregate final : public GroupedRows {
 public:
  // As make_grouped_rows().
  Aggregate(const Plan& plan, NodeId node, bool emits);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override;
  void restored(int64_t watermark_us) override;

  // Whether rows must come in the order of their places. If not, an epoch's batches may be given to
  // process() one after the other, for the result is the same.
  static bool needs_order(const PlanNode& node, const Plan& plan, bool emits);

  const state::Table& table() const override { return *table_; }
  bool visible(const std::byte* row, int64_t watermark_us) const override;
  std::optional<int64_t> waits_for(const std::byte* row, int64_t watermark_us) const override;
  void append_column(int column, std::span<const std::byte* const> rows, Column& out,
                     Arena& arena) const override;
  std::vector<int> key_columns() const override;
  const std::byte* find(const Row& key, std::optional<state::Cut> cut) const override;

  // Without GROUP BY there is one group, which exists before its first row: whoever takes changes
  // gets its result from the first process(), unless it was restored.
  void make_single_group();

 private:
  struct Window {
    std::vector<state::RowId> rows;
    bool fired = false;
  };
  // A batch on its way in: key columns, hashes and (for windows) window starts, late rows removed.
  struct Keyed;

  Keyed key_rows(const Batch& input, size_t begin, size_t end, const OperatorContext& context);
  bool refuse_late(const Batch& input, const OperatorContext& context,
                   std::vector<int64_t>* windows, Batch* kept_rows) const;
  void spread(const Batch& input, size_t begin, size_t end, const OperatorContext& context,
              Keyed* keyed) const;
  void apply(const Keyed& keyed, Emission* emission);
  // `emission` may be null.
  void apply_one_by_one(const Keyed& keyed, std::span<const uint32_t> created, Emission* emission);
  void apply_sides(size_t begin, size_t end);
  void note_windows(const Keyed& keyed);
  Keyed announce(Keyed keyed, Emission& emission);
  void remove_empty_groups();
  void add_sides(const std::vector<Type>& key, uint64_t id);
  GroupValues& values_of(GroupValues::Of of, const AggregateCall& call, state::TableId id,
                         const std::vector<Type>& key);

  // What the watermark sets off during an epoch, in the order in which it does.
  struct Due {
    int64_t time;
    bool expires;  // else it fires
    int64_t window;
    auto operator<=>(const Due&) const = default;
  };
  // Rows, and what is due until the watermark reaches `until_us`.
  void apply_timed(const Keyed& keyed, const WatermarkTrack& track, int64_t until_us,
                   Emission* on_timers, Emission* on_rows);
  std::vector<Due> due_until(int64_t watermark_us) const;
  void fire(const Due& due, RowPlace place, Emission* emission);

  int64_t closes_at(int64_t window) const;
  std::optional<int64_t> expires_at(int64_t window) const;
  int64_t window_of(const std::byte* row) const;

  const Plan& plan_;
  const PlanNode& node_;
  const AggregateNode& op_;
  const Schema& input_schema_;
  bool emits_;
  // Whether a group counts its rows, since it may lose the last one.
  bool retractions_;
  bool timed_;  // windows fire or expire
  TimerOwner timer_owner_;
  bool single_;  // the group without columns: it is there always
  // A group that loses its last row must start anew at once, for a sum of doubles keeps what
  // rounding left of the old rows.
  bool restarts_;
  bool announces_ = false;  // its first result is still to be given out
  AccumulatorSet accumulators_;
  std::unique_ptr<state::Table> table_;
  std::vector<std::unique_ptr<GroupSide>> sides_;
  std::vector<GroupValues*> values_;          // those of `sides_` that are some
  absl::btree_map<int64_t, Window> windows_;  // by name; only where something is timed
  // Of the input; so many, that what they are in all of their windows takes little memory.
  size_t rows_at_once_ = std::numeric_limits<size_t>::max();
  // Scratch of one apply(): the group's row for every row of input.
  std::vector<state::RowId> ids_;
  std::vector<uint32_t> created_;
};

}  // namespace kappa::operators
