#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "operators/evaluator.h"
#include "operators/operator.h"
#include "operators/row_expiry.h"

namespace kappa::operators {

// The lookup join of a stream with a relation, on one worker: it holds the relation's rows whose
// key falls to it, with the columns that the plan needs of them.
//
// State: one row a row of the relation; key = the key's columns on the right, values = its other
// columns.
//
//   right: insert ─► row stored
//          retract ─► row removed
//   left:  row ─► found, and not expired ─► condition holds ─► left row + right row
//                     └───────────no────────────┴────────────► outer: left row + NULLs
//
// What has expired is judged by the watermark of the right side at the left row's place, and
// removed now and then. A condition that fails to evaluate passes no row on.
class Lookup final : public JoinOperator {
 public:
  Lookup(const Plan& plan, NodeId node);

  void process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                    std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }
  bool kept(const std::byte* row, int64_t watermark_us) const override;
  void remove_expired(int64_t watermark_us) override;

 private:
  // The left rows that go on, and what was found for each.
  struct Answers;

  void find_right(const Batch& right);
  void find_left(const Batch& left);
  void apply(const Batch& right, size_t begin, size_t end);
  void answer(const Batch& left, size_t begin, size_t end, const OperatorContext& context,
              Answers& answers);
  // The answers once the condition has been asked.
  Batch judge(Batch answers, const std::vector<uint32_t>& found, const OperatorContext& context);

  const NodeId node_;
  const LookupNode& op_;
  const Schema& right_schema_;
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;  // by column of the right side
  std::vector<int> value_columns_;                // those that are not in the key
  std::vector<std::byte> nulls_;                  // a row's image with all fields NULL
  std::optional<Evaluator> condition_;
  std::optional<RowExpiry> expiry_;
  // Of one call. Rows are there as soon as they were looked up; `absent_` says which hold no row of
  // the relation at the place that was reached, and what is absent at the end is erased at the end.
  std::vector<state::RowId> right_ids_;
  std::vector<state::RowId> left_ids_;
  absl::flat_hash_set<state::RowId> absent_;
  std::vector<uint64_t> hashes_;
  std::vector<const std::byte*> images_;
};

}  // namespace kappa::operators
