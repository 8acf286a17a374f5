#include "operators/lookup.h"

#include <algorithm>
#include <numeric>

#include "absl/container/flat_hash_set.h"
#include "engine/types/hash.h"
#include "operators/join_order.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

std::vector<ColumnRef> columns_of(const Batch& batch, const std::vector<int>& columns) {
  std::vector<ColumnRef> some;
  some.reserve(columns.size());
  for (int column : columns) some.push_back(batch.columns[static_cast<size_t>(column)]);
  return some;
}

bool any_null(const std::vector<ColumnRef>& columns, size_t row) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const ColumnRef& column) { return column->is_null(row); });
}

// Rows [begin, end) of a batch; the batch itself if these are all.
Batch rows_of(const Batch& batch, size_t begin, size_t end) {
  if (begin == 0 && end == batch.rows) return batch;
  std::vector<uint32_t> picked(end - begin);
  std::iota(picked.begin(), picked.end(), static_cast<uint32_t>(begin));
  return gather(batch, picked);
}

}  // namespace

Lookup::Lookup(const Plan& plan, NodeId node)
    : op_(std::get<LookupNode>(plan.node(node).op)),
      right_schema_(plan.node(plan.node(node).inputs[1]).schema) {
  std::vector<Type> key;
  std::vector<Type> values;
  for (int column : op_.key.right) key.push_back(right_schema_[static_cast<size_t>(column)].type);
  for (int c = 0; c < static_cast<int>(right_schema_.size()); ++c) {
    if (std::find(op_.key.right.begin(), op_.key.right.end(), c) != op_.key.right.end()) continue;
    value_columns_.push_back(c);
    values.push_back(right_schema_[static_cast<size_t>(c)].type);
  }
  const state::RowLayout layout(key, values);
  table_ = std::make_unique<state::Table>(state::TableId{operator_id(plan, node), 0}, layout);
  field_of_column_.resize(right_schema_.size());
  for (size_t i = 0; i < op_.key.right.size(); ++i) {
    field_of_column_[static_cast<size_t>(op_.key.right[i])] = layout.key()[i];
  }
  for (size_t i = 0; i < value_columns_.size(); ++i) {
    field_of_column_[static_cast<size_t>(value_columns_[i])] = layout.values()[i];
  }
  nulls_.resize(layout.row_bytes());
  for (const state::RowField& field : field_of_column_) {
    state::Table::set_null(nulls_.data(), field, true);
  }
}

void Lookup::process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                          std::vector<Batch>* out) {
  for_each_run(
      left, right,
      [&](size_t begin, size_t end) { answer(rows_of(left, begin, end), context.arena, out); },
      [&](size_t begin, size_t end) { apply(rows_of(right, begin, end)); });
}

// Nobody reads in between, so of a key's changes the last one counts.
void Lookup::apply(const Batch& right) {
  const std::vector<ColumnRef> key = columns_of(right, op_.key.right);
  hash_columns(key, right.rows, &hashes_);
  ids_.resize(right.rows);
  table_->find_or_insert(key, hashes_, ids_, nullptr);
  absl::flat_hash_set<state::RowId> retracted;
  for (size_t i = 0; i < right.rows; ++i) {
    const bool insert = right.signs.empty() || right.signs[i] > 0;
    if (!insert) {
      retracted.insert(ids_[i]);
      continue;
    }
    if (!retracted.empty()) retracted.erase(ids_[i]);
    for (int column : value_columns_) {
      const auto c = static_cast<size_t>(column);
      store_value(*table_, ids_[i], field_of_column_[c], *right.columns[c], i);
    }
  }
  for (state::RowId id : retracted) table_->erase(id);
}

void Lookup::answer(const Batch& left, Arena& arena, std::vector<Batch>* out) {
  const std::vector<ColumnRef> key = columns_of(left, op_.key.left);
  if (left.key_hashes.empty()) {
    hash_columns(key, left.rows, &hashes_);
  } else {
    hashes_ = left.key_hashes;
  }
  ids_.resize(left.rows);
  table_->find(key, hashes_, ids_);
  const bool nulls = std::any_of(key.begin(), key.end(),
                                 [](const ColumnRef& column) { return column->has_nulls(); });
  picked_.clear();
  images_.clear();
  for (uint32_t i = 0; i < left.rows; ++i) {
    const bool found = ids_[i] != state::kNoRow && !(nulls && any_null(key, i));
    if (!found && !op_.outer) continue;
    picked_.push_back(i);
    images_.push_back(found ? std::as_const(*table_).row(ids_[i]) : nulls_.data());
  }
  if (picked_.empty()) return;
  Batch answer = picked_.size() == left.rows ? left : gather(left, picked_);
  answer.key_hashes.clear();
  append_right(answer, arena);
  out->push_back(std::move(answer));
}

void Lookup::append_right(Batch& answer, Arena& arena) const {
  for (size_t c = 0; c < right_schema_.size(); ++c) {
    Column column(right_schema_[c].type);
    column.reserve(images_.size());
    state::Table::append_all(images_, field_of_column_[c], column, arena);
    answer.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
}

}  // namespace kappa::operators
