#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"

namespace kappa::operators {

// The lookup join of a stream with a relation, on one worker: it holds the relation's rows whose
// key falls to it, with the columns that the plan needs of them.
//
// State: one row a row of the relation; key = the key's columns on the right, values = its other
// columns.
//
//   right: insert ─► row stored            left: row ─► found ─► left row + right row
//          retract ─► row removed                       not found ─► outer: left row + NULLs
class Lookup final : public JoinOperator {
 public:
  Lookup(const Plan& plan, NodeId node);

  void process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                    std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }

 private:
  void apply(const Batch& right);
  void answer(const Batch& left, Arena& arena, std::vector<Batch>* out);
  // The columns of the right side for rows of the table, or their images.
  void append_right(Batch& answer, Arena& arena) const;

  const LookupNode& op_;
  const Schema& right_schema_;
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;  // by column of the right side
  std::vector<int> value_columns_;                // those that are not in the key
  std::vector<std::byte> nulls_;                  // a row's image with all fields NULL
  // Scratch.
  std::vector<uint64_t> hashes_;
  std::vector<state::RowId> ids_;
  std::vector<uint32_t> picked_;
  std::vector<const std::byte*> images_;
};

}  // namespace kappa::operators
