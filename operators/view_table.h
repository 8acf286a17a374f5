#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/btree_map.h"
#include "operators/operator.h"
#include "operators/row_expiry.h"
#include "operators/timers.h"

namespace kappa::operators {

// A view that keeps rows of its own: one whose input is not simply a table of groups. On one
// worker, it holds the keys that fall to it (with a key by record: the rows that arise on it).
//
// State: key = the view's key columns, or (topic, partition, offset, ordinal); values = the other
// columns, in the order of the schema.
//
// Rows that expire are judged when they are read, and removed now and then. If somebody takes the
// view as a changelog, they are retracted by timers at the place where the watermark reaches their
// expiry, and what has expired when it arrives is no part of the view at all. An append-only view
// is taken as facts: what it forgets is not taken back from those who read it.
class ViewTable final : public Operator {
 public:
  ViewTable(const Plan& plan, NodeId node, bool emits);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }
  void restored(int64_t watermark_us) override;

  const state::Table& table() const { return *table_; }
  bool visible(const std::byte* row, int64_t watermark_us) const;
  bool kept(const std::byte* row, int64_t watermark_us) const override {
    return visible(row, watermark_us);
  }
  void append_column(int column, std::span<const std::byte* const> rows, Column& out,
                     Arena& arena) const;
  // Keys are in the view's key order.
  state::RowId find(const Row& key) const { return table_->find_one(key); }
  void remove_expired(int64_t watermark_us) override;

 private:
  class Changes;
  class Absent;

  std::vector<ColumnRef> key_columns(const Batch& input, const OperatorContext& context);
  // Applies rows. What they change goes to `changes`, if it is there; `passed` are the rows that
  // became part of the view.
  void apply(const Batch& input, const OperatorContext& context, Changes* changes,
             std::vector<uint32_t>* passed);
  void retract(state::RowId id, const Batch& cause, size_t row, Arena& arena,
               Changes& changes) const;
  void refuse_duplicate(const Batch& input, size_t row, const OperatorContext& context) const;
  // False: the row has expired already, and is no part of a view that is taken as a changelog.
  bool insert(state::RowId id, const Batch& input, size_t row, bool existed,
              const OperatorContext& context, Changes* changes);
  void apply_timed(const Batch& input, const OperatorContext& context, Changes& changes);
  // Fires the first of the timers.
  void fire(RowPlace place, Arena& arena, Changes& changes);
  std::optional<int64_t> expires_at(const std::byte* row) const;
  std::optional<int64_t> expires_at(const Batch& input, size_t row) const;
  void store(state::RowId id, const Batch& input, size_t row);
  Batch rows_as_batch(std::span<const state::RowId> ids, Arena& arena) const;

  const PlanNode& node_;
  const ViewNode& op_;
  const Schema& schema_;  // of the input
  bool emits_;
  bool changelog_input_;
  bool timed_;  // rows that expire are retracted
  TimerOwner timer_owner_;
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;  // by column of the schema
  std::vector<int> value_columns_;                // those that are not in the key
  std::optional<RowExpiry> expiry_;
  // If timed_: for each row that expires a timer at its expiry or before, by the time it is due.
  // One that comes too early, since its row was replaced by a later one, is set again.
  absl::btree_map<int64_t, std::vector<state::RowId>> timers_;
};

}  // namespace kappa::operators
