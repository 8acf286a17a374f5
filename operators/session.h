#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "operators/accumulator.h"
#include "operators/emission.h"
#include "operators/grouped_rows.h"
#include "operators/open_sessions.h"
#include "operators/session_sides.h"
#include "operators/timers.h"

namespace kappa::operators {

// GROUP BY over sessions, on one worker: it holds the groups whose key falls to the worker. Rows of
// a group at most a gap apart are of one session, which ends a gap after the last of them. Its
// input is append-only.
//
//   row arrives ─► open sessions of its group at most a gap away?
//                    │none                          │one or several
//                    ▼                              ▼
//          a session of its own; late if     they and the row are one session from now on
//          that would be closed               (changes: theirs are taken back, it is inserted)
//                    └──────────────┬───────────────┘
//                                   ▼ watermark > window_end + grace
//                    closed: takes no row, never changes; emit = final: inserted
//                                   │ watermark >= window_end + retention
//                                   ▼
//                    row removed; retracted if changes are emitted
//
// State: one row a session, however many rows it has taken; key = group columns, its start, and
// `aside`. That is kNotAside, but for a closed session whose start a later one has too, since a
// late row has led it back there: then it is the end of the closed one. Values: the accumulators,
// the time of the last row, and the origin, the time of the first row to arrive; where rows are
// numbered, for accumulators that ask which came first, the number of the row that came last. A
// call that needs more than fields of that row has a table of its own beside it while the session
// is open, see SessionSide.
class Session final : public GroupedRows {
 public:
  Session(const Plan& plan, NodeId node, bool emits);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override;
  void restored(int64_t watermark_us) override;

  const state::Table& table() const override { return *table_; }
  bool visible(const std::byte* row, int64_t watermark_us) const override;
  std::optional<int64_t> waits_for(const std::byte* row, int64_t watermark_us) const override;
  void append_column(int column, std::span<const std::byte* const> rows, Column& out,
                     Arena& arena) const override;
  std::vector<int> key_columns() const override;
  const std::byte* find(const Row& key, std::optional<state::Cut> cut) const override;

 private:
  // An epoch's rows on their way in. A row is given its session first; what it changes there is
  // applied for many rows at once.
  struct Turn;
  // A session that waits for its end.
  struct Closing {
    state::RowId row;
    uint32_t group;
  };
  using Sessions = GroupSessions::iterator;

  void take(Turn& turn, uint32_t i, int64_t watermark_us);
  void begin_session(Turn& turn, uint32_t i, Sessions at);
  void join(Turn& turn, uint32_t i, Sessions first, Sessions end);
  void absorb(uint32_t group, OpenSession* joined, const OpenSession& other);
  void retract(Turn& turn, uint32_t i, Sessions first, Sessions end);
  // Applies the rows that have been given their sessions. Returns the last one's session.
  state::RowId apply(Turn& turn);
  void insert_fresh(Turn& turn);
  void add_to_sides(const Turn& turn);
  state::RowId move_row(state::RowId from, int64_t start_us, int64_t aside_us);

  bool timers_due(const Turn& turn, int64_t watermark_us) const;
  void fire_until(Turn& turn, int64_t until_us);
  void close_sessions(Turn& turn, int64_t due_us);
  void expire_sessions(Turn& turn, int64_t due_us);

  int64_t end_of(const std::byte* row) const;
  int64_t closes_at_last(int64_t last_us) const;
  int64_t expires_at_last(int64_t last_us) const;
  int64_t& last_of(state::RowId row);
  int64_t& origin_of(state::RowId row);
  int64_t number_of(state::RowId row);

  const PlanNode& node_;
  const AggregateNode& op_;
  const Schema& input_schema_;
  const int64_t gap_us_;
  const bool emits_;
  const TimerOwner timer_owner_;
  AccumulatorSet accumulators_;
  std::unique_ptr<state::Table> table_;
  state::RowField last_;
  state::RowField origin_;
  std::optional<state::RowField> number_;  // if rows are numbered
  OpenSessions open_;
  std::optional<SessionSides> sides_;  // always there
  // Whether what closes and expires is of interest. Else closed sessions just rest in the table.
  bool timed_;
  // By the watermark at which, at the earliest, the session closes: it may have grown since.
  absl::btree_map<int64_t, std::vector<Closing>> closing_;
  // Closed ones, by the watermark at which their retention ends.
  absl::btree_map<int64_t, std::vector<state::RowId>> expiring_;
  std::vector<uint32_t> emptied_;  // groups that may have no open session any more
};

}  // namespace kappa::operators
