#include "operators/top_one.h"

#include <algorithm>

#include "engine/types/hash.h"
#include "operators/table_rows.h"

namespace kappa::operators {

TopOne::TopOne(const Plan& plan, NodeId node)
    : node_(plan.node(node)), op_(std::get<TopNNode>(node_.op)) {
  const Schema& input = plan.node(node_.inputs[0]).schema;
  std::vector<Type> key;
  for (int column : op_.key) key.push_back(input[static_cast<size_t>(column)].type);
  std::vector<Type> values;
  for (int c = 0; c < static_cast<int>(input.size()); ++c) {
    if (std::find(op_.key.begin(), op_.key.end(), c) != op_.key.end()) continue;
    value_columns_.push_back(c);
    values.push_back(input[static_cast<size_t>(c)].type);
  }
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0},
                                          state::RowLayout(key, values));
  field_of_column_.resize(input.size());
  for (size_t k = 0; k < op_.key.size(); ++k) {
    field_of_column_[static_cast<size_t>(op_.key[k])] = table_->layout().key()[k];
  }
  for (size_t v = 0; v < value_columns_.size(); ++v) {
    field_of_column_[static_cast<size_t>(value_columns_[v])] = table_->layout().values()[v];
  }
  order_ = std::make_unique<RowOrder>(op_.order, field_of_column_);
}

// Only rows that change are touched: those that lose are the most, where the first one wins.
void TopOne::look_up(const Batch& input, std::vector<uint32_t>* first) {
  std::vector<ColumnRef> key;
  for (int column : op_.key) key.push_back(input.columns[static_cast<size_t>(column)]);
  hash_columns(key, input.rows, &hashes_);
  ids_.resize(input.rows);
  table_->find(key, hashes_, ids_);
  std::vector<uint32_t> missing;
  for (uint32_t i = 0; i < input.rows; ++i) {
    if (ids_[i] == state::kNoRow) missing.push_back(i);
  }
  if (missing.empty()) return;
  std::vector<uint64_t> hashes;
  hashes.reserve(missing.size());
  for (const uint32_t i : missing) hashes.push_back(hashes_[i]);
  for (ColumnRef& column : key) {
    column = std::make_shared<const Column>(column->gather(missing));
  }
  std::vector<state::RowId> ids(missing.size());
  table_->find_or_insert(key, hashes, ids, first);
  for (size_t m = 0; m < missing.size(); ++m) ids_[missing[m]] = ids[m];
  for (uint32_t& row : *first) row = missing[row];
}

void TopOne::store(const Batch& input, size_t row) {
  const auto& fields = table_->layout().values();
  for (size_t v = 0; v < fields.size(); ++v) {
    store_value(*table_, ids_[row], fields[v],
                *input.columns[static_cast<size_t>(value_columns_[v])], row);
  }
}

void TopOne::process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) {
  if (input.empty()) return;
  std::vector<uint32_t> first;
  look_up(input, &first);
  RowChanges changes(node_.schema, input, context.arena);
  auto next_first = first.begin();
  for (size_t i = 0; i < input.rows; ++i) {
    const bool new_key = next_first != first.end() && *next_first == i;
    if (new_key) {
      ++next_first;
    } else if (order_->compare(input, i, table_->row(ids_[i])) < 0) {
      changes.add_stored(table_->row(ids_[i]), field_of_column_, i, -1, 1);
      table_->touch(ids_[i]);
    } else {
      continue;
    }
    store(input, i);
    changes.add_input(i, i, 1, 1);
  }
  if (!changes.empty()) out->push_back(changes.finish());
}

}  // namespace kappa::operators
