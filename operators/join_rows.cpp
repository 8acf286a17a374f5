#include "operators/join_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/types/hash.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

bool contains(const std::vector<int>& columns, int column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

}  // namespace

JoinRows::JoinRows(state::TableId id, const Schema& schema, const std::vector<int>& key,
                   const std::vector<int>& row_id, bool counts)
    : key_(key) {
  const auto type = [&](int column) { return schema[static_cast<size_t>(column)].type; };
  std::vector<Type> key_types;
  std::vector<Type> value_types;
  for (int column : key_) key_types.push_back(type(column));
  for (int column : row_id) {
    if (contains(key_, column)) continue;
    id_.push_back(column);
    key_types.push_back(type(column));
  }
  for (int column = 0; column < static_cast<int>(schema.size()); ++column) {
    if (contains(key_, column) || contains(id_, column)) continue;
    values_.push_back(column);
    value_types.push_back(type(column));
  }
  if (counts) value_types.push_back(Type::bigint());
  const state::RowLayout layout(key_types, value_types);
  table_ = std::make_unique<state::Table>(id, layout);
  field_of_column_.resize(schema.size());
  const auto set_field = [&](int column, const state::RowField& field) {
    field_of_column_[static_cast<size_t>(column)] = field;
  };
  for (size_t i = 0; i < key_.size(); ++i) set_field(key_[i], layout.key()[i]);
  for (size_t i = 0; i < id_.size(); ++i) set_field(id_[i], layout.key()[key_.size() + i]);
  for (size_t i = 0; i < values_.size(); ++i) set_field(values_[i], layout.values()[i]);
  if (counts) count_ = layout.values().back();
  nulls_.resize(layout.row_bytes());
  for (const state::RowField& field : field_of_column_) {
    state::Table::set_null(nulls_.data(), field, true);
  }
}

std::vector<ColumnRef> JoinRows::key_of(const Batch& batch) const {
  return columns_of(batch, key_);
}

std::vector<ColumnRef> JoinRows::key_of(std::span<const state::RowId> rows, Arena& arena) const {
  return key_columns(table(), rows, key_.size(), arena);
}

void JoinRows::find(const Batch& batch, const std::vector<uint64_t>& key_hashes) {
  found_.resize(batch.rows);
  if (batch.empty()) return;
  std::vector<ColumnRef> key = key_of(batch);
  std::vector<uint64_t> hashes = key_hashes;
  for (int column : id_) {
    key.push_back(batch.columns[static_cast<size_t>(column)]);
    hash_one_more(*key.back(), &hashes);
  }
  table_->find_or_insert(key, hashes, found_, nullptr);
  links_.resize(std::max<size_t>(links_.size(), table_->row_ids_end()));
}

void JoinRows::drop_unlinked() {
  for (state::RowId row : found_) {
    if (table_->live(row) && !linked(row)) table_->erase(row);
  }
}

void JoinRows::store(state::RowId row, const Batch& batch, size_t batch_row) {
  for (int column : values_) {
    const auto c = static_cast<size_t>(column);
    store_value(*table_, row, field_of_column_[c], *batch.columns[c], batch_row);
  }
}

int64_t JoinRows::count(state::RowId row) const {
  return state::Table::get<int64_t>(table().row(row), count_);
}

void JoinRows::set_count(state::RowId row, int64_t count) {
  table_->touch(row);
  state::Table::get<int64_t>(table_->row(row), count_) = count;
}

void JoinRows::link(state::RowId row, state::RowId* first) {
  if (row >= links_.size()) links_.resize(row + 1);
  links_[row] = {.next = *first, .previous = state::kNoRow, .linked = true};
  if (*first != state::kNoRow) links_[*first].previous = row;
  *first = row;
}

void JoinRows::unlink(state::RowId row, state::RowId* first) {
  const Link link = std::exchange(links_[row], Link());
  if (link.next != state::kNoRow) links_[link.next].previous = link.previous;
  if (link.previous != state::kNoRow) {
    links_[link.previous].next = link.next;
  } else {
    *first = link.next;
  }
}

void JoinRows::chain(state::RowId first, std::vector<state::RowId>* rows) const {
  rows->clear();
  for (; first != state::kNoRow; first = links_[first].next) rows->push_back(first);
  if (rows->size() < 2) return;
  std::vector<std::pair<std::string, state::RowId>> keyed;
  keyed.reserve(rows->size());
  std::string value;
  for (state::RowId row : *rows) {
    keyed.emplace_back(std::string(), row);
    table().encode(table().row(row), &keyed.back().first, &value);
  }
  std::sort(keyed.begin(), keyed.end());
  for (size_t i = 0; i < keyed.size(); ++i) (*rows)[i] = keyed[i].second;
}

void JoinRows::append(state::RowId row, std::span<Column> columns, Arena& arena) const {
  const std::byte* image = row == state::kNoRow ? nulls_.data() : table().row(row);
  for (size_t c = 0; c < field_of_column_.size(); ++c) {
    state::Table::append_to(image, field_of_column_[c], columns[c], arena);
  }
}

}  // namespace kappa::operators
