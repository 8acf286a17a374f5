#include "operators/timed_rows.h"

#include <algorithm>
#include <utility>

#include "engine/types/hash.h"
#include "operators/table_rows.h"

namespace kappa::operators {
namespace {

bool before(const TimedRows::Kept& kept, int64_t time_us) {
  return kept.time_us < time_us;
}

bool after(int64_t time_us, const TimedRows::Kept& kept) {
  return time_us < kept.time_us;
}

ColumnRef one_value(Type type, int64_t value) {
  Column column(type, 1);
  column.values<int64_t>()[0] = value;
  return std::make_shared<const Column>(std::move(column));
}

}  // namespace

TimedRows::TimedRows(state::TableId id, const Schema& schema, const std::vector<int>& key, int time,
                     bool notes_matches)
    : key_(key), time_(time) {
  std::vector<Type> key_types;
  std::vector<Type> value_types;
  for (int column : key_) key_types.push_back(schema[static_cast<size_t>(column)].type);
  key_types.push_back(Type::timestamptz());
  key_types.push_back(Type::bigint());
  for (int column = 0; column < static_cast<int>(schema.size()); ++column) {
    const bool in_key = std::find(key_.begin(), key_.end(), column) != key_.end();
    if (in_key || column == time_) continue;
    values_.push_back(column);
    value_types.push_back(schema[static_cast<size_t>(column)].type);
  }
  if (notes_matches) value_types.push_back(Type::boolean());
  const state::RowLayout layout(key_types, value_types);
  table_ = std::make_unique<state::Table>(id, layout);
  field_of_column_.resize(schema.size());
  const auto set_field = [&](int column, const state::RowField& field) {
    field_of_column_[static_cast<size_t>(column)] = field;
  };
  for (size_t i = 0; i < key_.size(); ++i) set_field(key_[i], layout.key()[i]);
  for (size_t i = 0; i < values_.size(); ++i) set_field(values_[i], layout.values()[i]);
  set_field(time_, layout.key()[key_.size()]);
  number_ = layout.key().back();
  if (notes_matches) matched_ = layout.values().back();
  nulls_.resize(layout.row_bytes());
  for (const state::RowField& field : field_of_column_) {
    state::Table::set_null(nulls_.data(), field, true);
  }
}

std::vector<ColumnRef> TimedRows::key_of(const Batch& batch) const {
  return columns_of(batch, key_);
}

std::vector<ColumnRef> TimedRows::key_of(std::span<const state::RowId> rows, Arena& arena) const {
  return key_columns(table(), rows, key_.size(), arena);
}

int64_t TimedRows::time_of(state::RowId row) const {
  return state::Table::get<int64_t>(table().row(row), field_of_column_[static_cast<size_t>(time_)]);
}

TimedRows::Series& TimedRows::series_at(uint32_t series) {
  if (series >= series_.size()) series_.resize(series + 1);
  return series_[series];
}

state::RowId TimedRows::insert(uint32_t series, const Batch& batch, size_t row) {
  auto& [rows, first] = series_at(series);
  const int64_t time_us = time_of(batch, row);
  const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
  const auto place = std::upper_bound(begin, rows.end(), time_us, after);
  const bool peer = place != begin && (place - 1)->time_us == time_us;
  const int64_t number = peer ? (place - 1)->number + 1 : 0;
  const state::RowId id = store(batch, row, time_us, number);
  rows.insert(place, {time_us, number, id});
  return id;
}

state::RowId TimedRows::store(const Batch& batch, size_t row, int64_t time_us, int64_t number) {
  const uint32_t picked[] = {static_cast<uint32_t>(row)};
  std::vector<ColumnRef> key = key_of(batch);
  for (ColumnRef& column : key) column = std::make_shared<const Column>(column->gather(picked));
  key.push_back(one_value(Type::timestamptz(), time_us));
  key.push_back(one_value(Type::bigint(), number));
  std::vector<uint64_t> hashes;
  hash_columns(key, 1, &hashes);
  state::RowId id = state::kNoRow;
  table_->find_or_insert(key, hashes, {&id, 1}, nullptr);
  for (int column : values_) {
    const auto c = static_cast<size_t>(column);
    store_value(*table_, id, field_of_column_[c], *batch.columns[c], row);
  }
  return id;
}

std::span<const TimedRows::Kept> TimedRows::range(uint32_t series, int64_t from_us,
                                                  int64_t to_us) const {
  if (series >= series_.size()) return {};
  const std::span<const Kept> rows = kept(series);
  const auto begin = std::lower_bound(rows.begin(), rows.end(), from_us, before);
  const auto end = std::upper_bound(begin, rows.end(), to_us, after);
  return {begin, end};
}

void TimedRows::drop_until(uint32_t series, int64_t time_us) {
  auto& [rows, first] = series_at(series);
  for (; first < rows.size() && rows[first].time_us <= time_us; ++first) {
    table_->erase(rows[first].row);
  }
  // The room of what has gone is used again once it is half of all.
  if (first * 2 < rows.size()) return;
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(first));
  first = 0;
}

void TimedRows::link(uint32_t series, state::RowId row) {
  const auto number = state::Table::get<int64_t>(table().row(row), number_);
  series_at(series).rows.push_back({time_of(row), number, row});
}

void TimedRows::sort_links() {
  for (Series& series : series_) {
    std::sort(series.rows.begin(), series.rows.end(),
              [](const Kept& a, const Kept& b) { return a.position() < b.position(); });
  }
}

bool TimedRows::matched(state::RowId row) const {
  return state::Table::get<int8_t>(table().row(row), matched_) != 0;
}

void TimedRows::set_matched(state::RowId row) {
  if (matched(row)) return;
  table_->touch(row);
  state::Table::get<int8_t>(table_->row(row), matched_) = 1;
}

void TimedRows::append(state::RowId row, std::span<Column> columns, Arena& arena) const {
  const std::byte* image = row == state::kNoRow ? nulls_.data() : table().row(row);
  for (size_t c = 0; c < field_of_column_.size(); ++c) {
    state::Table::append_to(image, field_of_column_[c], columns[c], arena);
  }
}

}  // namespace kappa::operators
