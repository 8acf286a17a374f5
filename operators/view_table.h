#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "operators/operator.h"

namespace kappa::operators {

// A view that keeps rows of its own: one whose input is not simply a table of groups. On one
// worker, it holds the keys that fall to it (with a key by record: the rows that arise on it).
//
// State: key = the view's key columns, or (topic, partition, offset, ordinal); values = the other
// columns, in the order of the schema.
class ViewTable final : public Operator {
 public:
  ViewTable(const Plan& plan, NodeId node, bool emits);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }

  const state::Table& table() const { return *table_; }
  bool visible(const std::byte* row, int64_t watermark_us) const;
  void append_column(int column, std::span<const std::byte* const> rows, Column& out,
                     Arena& arena) const;
  // Keys are in the view's key order.
  state::RowId find(const Row& key) const { return table_->find_one(key); }
  // Drops rows that no query sees any more. Called now and then, between epochs; looks at up to
  // `rows_max` rows and goes on from there the next time.
  void remove_expired(int64_t watermark_us, size_t rows_max);

 private:
  std::vector<ColumnRef> key_columns(const Batch& input, const OperatorContext& context);
  void store(state::RowId id, const Batch& input, size_t row);
  Batch rows_as_batch(std::span<const state::RowId> ids, Arena& arena) const;

  const PlanNode& node_;
  const ViewNode& op_;
  const Schema& schema_;  // of the input
  bool emits_;
  bool changelog_input_;
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;  // by column of the schema
  std::vector<int> value_columns_;                // those that are not in the key
  state::RowId expiry_cursor_ = 0;
};

}  // namespace kappa::operators
