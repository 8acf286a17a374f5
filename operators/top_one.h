#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"
#include "operators/row_changes.h"
#include "operators/row_order.h"

namespace kappa::operators {

// The first row of each key by an order, of append-only input, on one worker: ROW_NUMBER() … = 1,
// and DISTINCT ON … ORDER BY. A row that comes before the one that is there takes its place; one
// that ties with it does not.
//
// State: a row a key, values = the other columns.
class TopOne final : public Operator {
 public:
  TopOne(const Plan& plan, NodeId node);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }

 private:
  // Finds each row's row in ids_; `first` are those that made it.
  void look_up(const Batch& input, std::vector<uint32_t>* first);
  void store(const Batch& input, size_t row);

  const PlanNode& node_;
  const TopNNode& op_;
  std::vector<int> value_columns_;
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;
  std::unique_ptr<RowOrder> order_;
  // Scratch of process().
  std::vector<uint64_t> hashes_;
  std::vector<state::RowId> ids_;
};

}  // namespace kappa::operators
