#include "operators/ranked_rows.h"

#include <algorithm>
#include <limits>

#include "engine/types/hash.h"

namespace kappa::operators {
namespace {

std::vector<int> key_first(size_t columns, const std::vector<int>& key) {
  std::vector<int> order = key;
  for (int c = 0; c < static_cast<int>(columns); ++c) {
    if (std::find(key.begin(), key.end(), c) == key.end()) order.push_back(c);
  }
  return order;
}

state::RowLayout layout_of(const Schema& input, const std::vector<int>& columns) {
  std::vector<Type> key;
  key.reserve(columns.size() + 1);
  for (int column : columns) key.push_back(input[static_cast<size_t>(column)].type);
  key.push_back(Type::integer());
  return {key, {Type::bigint(), Type::integer()}};
}

std::vector<state::RowField> fields_of(const state::RowLayout& layout,
                                       const std::vector<int>& columns, size_t width) {
  std::vector<state::RowField> fields(width);
  for (size_t k = 0; k < columns.size(); ++k) {
    fields[static_cast<size_t>(columns[k])] = layout.key()[k];
  }
  return fields;
}

ColumnRef integers(size_t rows, int32_t value) {
  Column column(Type::integer(), rows);
  std::fill(column.values<int32_t>().begin(), column.values<int32_t>().end(), value);
  return std::make_shared<const Column>(std::move(column));
}

}  // namespace

RankedRows::RankedRows(uint64_t operator_id, const Schema& input, const TopNNode& op)
    : key_columns_(key_first(input.size(), op.key)),
      table_(state::TableId{operator_id, 0}, layout_of(input, key_columns_)),
      field_of_column_(fields_of(table_.layout(), key_columns_, input.size())),
      order_(op.order, field_of_column_) {}

int64_t& RankedRows::number_of(state::RowId id) {
  return state::Table::get<int64_t>(table_.row(id), table_.layout().values()[0]);
}

int64_t RankedRows::number_of(state::RowId id) const {
  return state::Table::get<int64_t>(table_.row(id), table_.layout().values()[0]);
}

int32_t& RankedRows::equals_of(state::RowId id) {
  return state::Table::get<int32_t>(table_.row(id), table_.layout().values()[1]);
}

void RankedRows::look_up(const Batch& batch) {
  key_.clear();
  for (int column : key_columns_) key_.push_back(batch.columns[static_cast<size_t>(column)]);
  key_.push_back(integers(batch.rows, 0));
  std::vector<uint64_t> hashes;
  hash_columns(key_, batch.rows, &hashes);
  ids_.resize(batch.rows);
  table_.find_or_insert(key_, hashes, ids_, nullptr);
}

std::vector<ColumnRef> RankedRows::key_of(size_t row, int32_t nth, uint64_t* hash) const {
  const uint32_t picked[] = {static_cast<uint32_t>(row)};
  std::vector<ColumnRef> key;
  key.reserve(key_.size());
  for (size_t k = 0; k + 1 < key_.size(); ++k) {
    key.push_back(std::make_shared<const Column>(key_[k]->gather(picked)));
  }
  key.push_back(integers(1, nth));
  std::vector<uint64_t> hashes;
  hash_columns(key, 1, &hashes);
  *hash = hashes[0];
  return key;
}

state::RowId RankedRows::add(size_t row) {
  const state::RowId first = ids_[row];
  state::RowId id = first;
  if (const int32_t nth = equals_of(first)++; nth > 0) {
    uint64_t hash = 0;
    const auto key = key_of(row, nth, &hash);
    table_.find_or_insert(key, {&hash, 1}, {&id, 1}, nullptr);
  }
  number_of(id) = std::numeric_limits<int64_t>::max();
  return id;
}

state::RowId RankedRows::last_equal(size_t row) {
  const state::RowId first = ids_[row];
  const int32_t equals = equals_of(first);
  if (equals == 0) return state::kNoRow;
  if (equals == 1) return first;
  uint64_t hash = 0;
  const auto key = key_of(row, equals - 1, &hash);
  state::RowId id = state::kNoRow;
  table_.find(key, {&hash, 1}, {&id, 1});
  return id;
}

void RankedRows::remove(state::RowId id) {
  const auto& key = table_.layout().key();
  if (state::Table::get<int32_t>(table_.row(id), key.back()) == 0) {
    table_.touch(id);
    equals_of(id) = 0;
    removed_.push_back(id);
    return;
  }
  Row values;
  for (size_t k = 0; k + 1 < key.size(); ++k) {
    values.push_back(state::Table::value(table_.row(id), key[k]));
  }
  values.push_back(Value::integer(0));
  const state::RowId first = table_.find_one(values);
  table_.touch(first);
  --equals_of(first);
  table_.erase(id);
}

void RankedRows::sweep() {
  const auto absent = [&](state::RowId id) {
    return table_.live(id) && equals_of(id) == 0 &&
           state::Table::get<int32_t>(table_.row(id), table_.layout().key().back()) == 0;
  };
  for (const auto* ids : {&ids_, &removed_}) {
    for (const state::RowId id : *ids) {
      if (absent(id)) table_.erase(id);
    }
  }
  ids_.clear();
  removed_.clear();
}

void RankedRows::number(state::RowId id, std::optional<state::RowId> before) {
  const bool ties = before && order_.compare(table_.row(*before), table_.row(id)) == 0;
  number_of(id) = ties ? number_of(*before) + 1 : 0;
}

bool RankedRows::before(state::RowId a, state::RowId b) const {
  const auto order = order_.compare(table_.row(a), table_.row(b));
  return order != 0 ? order < 0 : number_of(a) < number_of(b);
}

}  // namespace kappa::operators
