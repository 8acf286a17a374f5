#include "operators/distinct.h"

#include "engine/types/hash.h"

namespace kappa::operators {

Distinct::Distinct(const Plan& plan, NodeId node)
    : op_(std::get<DistinctNode>(plan.node(node).op)) {
  const Schema& schema = plan.node(node).schema;
  std::vector<Type> key;
  key.reserve(op_.key.size());
  for (int column : op_.key) key.push_back(schema[static_cast<size_t>(column)].type);
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0},
                                          state::RowLayout(key, {}));
}

void Distinct::process(const Batch& input, const OperatorContext& /*context*/,
                       std::vector<Batch>* out) {
  if (input.empty()) return;
  std::vector<ColumnRef> key;
  key.reserve(op_.key.size());
  for (int column : op_.key) key.push_back(input.columns[static_cast<size_t>(column)]);
  hash_columns(key, input.rows, &hashes_);
  ids_.resize(input.rows);
  table_->find_or_insert(key, hashes_, ids_, &first_);
  if (first_.size() == input.rows) {
    out->push_back(input);
  } else if (!first_.empty()) {
    out->push_back(gather(input, first_));
  }
}

}  // namespace kappa::operators
