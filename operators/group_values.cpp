#include "operators/group_values.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "engine/types/arena.h"
#include "engine/types/hash.h"
#include "engine/types/invariant.h"
#include "operators/quantile_bucket.h"

namespace kappa::operators {

using state::Table;

namespace {

std::vector<Type> with_value(std::vector<Type> key, Type value) {
  key.push_back(value);
  return key;
}

}  // namespace

struct GroupValues::Ordered {
  const GroupValues& values;
  state::RowId group;

  OrderedValues::Iterator end() const { return values.ordered_->end_of(group); }
  OrderedValues::Iterator find(int32_t bucket) const {
    return values.ordered_->find(group, bucket);
  }
  int64_t times(OrderedValues::Iterator at) const { return values.times(at->value); }
  int32_t number(OrderedValues::Iterator at) const {
    const Table& table = *values.table_;
    return Table::get<int32_t>(table.row(at->value), table.layout().key().back());
  }
};

GroupValues::GroupValues(state::TableId id, const std::vector<Type>& group_key, Of of,
                         const Schema& input, int argument, int filter, Table& groups)
    : of_(of),
      argument_(argument),
      filter_(filter),
      groups_(groups),
      table_(std::make_unique<Table>(
          id,
          state::RowLayout(
              with_value(group_key, of == Of::kBuckets ? Type::integer()
                                                       : input[static_cast<size_t>(argument)].type),
              {Type::bigint()}))) {}

void GroupValues::count_distinct(state::RowField result) {
  distinct_.push_back(result);
}

void GroupValues::keep_extreme(bool greatest, state::RowField result) {
  extremes_.push_back({greatest, result});
  order();
}

void GroupValues::keep_quantile(const QuantileRank& quantile) {
  quantiles_.push_back(quantile);
  order();
}

void GroupValues::expect_expiry() {
  if (!ordered_ && !windows_) windows_.emplace();
}

void GroupValues::order() {
  windows_.reset();
  if (!ordered_) ordered_.emplace(*table_, table_->layout().key().back());
}

int64_t& GroupValues::times(state::RowId value) const {
  return Table::get<int64_t>(table_->row(value), table_->layout().values()[0]);
}

void GroupValues::find(const Batch& input, std::span<const ColumnRef> key) {
  const std::vector<uint32_t> seen = rows_seen(input, argument_, filter_);
  std::vector<ColumnRef> value_key = gather_columns(key, seen);
  Column values = input.columns[static_cast<size_t>(argument_)]->gather(seen);
  if (of_ == Of::kBuckets) values = quantile_buckets(values);
  value_key.push_back(std::make_shared<const Column>(std::move(values)));
  std::vector<uint64_t> hashes;
  hash_columns(value_key, seen.size(), &hashes);
  std::vector<state::RowId> rows(seen.size());
  table_->find_or_insert(value_key, hashes, rows, &created_);
  if (windows_) {
    for (const uint32_t i : created_) note_window(rows[i]);
  }
  found_.assign(input.rows, state::kNoRow);
  for (size_t i = 0; i < seen.size(); ++i) found_[seen[i]] = rows[i];
  signs_ = input.signs;
}

void GroupValues::apply(size_t begin, size_t end, std::span<const state::RowId> groups) {
  const state::RowField& value = table_->layout().key().back();
  for (size_t i = begin; i < end; ++i) {
    const state::RowId id = found_[i];
    if (id == state::kNoRow) continue;
    const state::RowId group = groups[i - begin];
    const int sign = signs_.empty() ? 1 : signs_[i];
    int64_t& there = times(id);
    there += sign;
    const bool came = sign > 0 && there == 1;
    const bool went = sign < 0 && there == 0;
    if (ordered_ && came) ordered_->insert(group, id);
    if (ordered_ && went) ordered_->erase(group, id);
    for (const QuantileRank& quantile : quantiles_) {
      quantile.move(groups_.row(group), Table::get<int32_t>(table_->row(id), value), sign,
                    Ordered{*this, group});
    }
    if (!came && !went) continue;
    for (const state::RowField& distinct : distinct_) {
      Table::get<int64_t>(groups_.row(group), distinct) += came ? 1 : -1;
    }
    for (const Extreme& extreme : extremes_) store_extreme(extreme, group);
  }
}

void GroupValues::store_extreme(const Extreme& extreme, state::RowId group) const {
  std::byte* row = groups_.row(group);
  const state::RowField& result = extreme.result;
  const auto begin = ordered_->begin_of(group);
  const auto end = ordered_->end_of(group);
  const bool text = result.type.physical() == PhysicalType::kString;
  Table::set_null(row, result, begin == end);
  if (begin == end) {
    if (text) return groups_.set_string(group, result, {});
    std::memset(row + result.offset, 0, width_of(result.type.physical()));
    return;
  }
  const std::byte* from = table_->row((extreme.greatest ? std::prev(end) : begin)->value);
  const state::RowField& value = table_->layout().key().back();
  if (!text) {
    std::memcpy(row + result.offset, from + value.offset, width_of(result.type.physical()));
  } else if (Table::get_string(row, result) != Table::get_string(from, value)) {
    groups_.set_string(group, result, Table::get_string(from, value));
  }
}

void GroupValues::remove_empty() {
  for (const state::RowId id : found_) {
    if (id != state::kNoRow && table_->live(id) && times(id) == 0) table_->erase(id);
  }
}

void GroupValues::erase_window(int64_t window_start, std::span<const state::RowId> groups) {
  if (!ordered_) return erase_rows_of(window_start);
  std::vector<state::RowId> values;
  for (const state::RowId group : groups) {
    values.clear();
    const auto end = ordered_->end_of(group);
    for (auto entry = ordered_->begin_of(group); entry != end; ++entry) {
      values.push_back(entry->value);
    }
    for (const state::RowId value : values) {
      ordered_->erase(group, value);
      table_->erase(value);
    }
  }
}

// The window is the last but one field of the key: the group's, then the value.
int64_t GroupValues::window_of(state::RowId value) const {
  const auto& key = table_->layout().key();
  return Table::get<int64_t>(table_->row(value), key[key.size() - 2]);
}

void GroupValues::note_window(state::RowId value) {
  const int64_t window_start = window_of(value);
  OfWindow& of = (*windows_)[window_start];
  of.rows.push_back(value);
  if (of.rows.size() >= of.sweep_at) sweep(window_start, of);
}

// Values that come and go leave their rows behind: no more than there are others.
void GroupValues::sweep(int64_t window_start, OfWindow& of) const {
  std::sort(of.rows.begin(), of.rows.end());
  of.rows.erase(std::unique(of.rows.begin(), of.rows.end()), of.rows.end());
  std::erase_if(of.rows, [&](state::RowId row) {
    return !table_->live(row) || window_of(row) != window_start;
  });
  of.sweep_at = std::max(of.sweep_at, 2 * of.rows.size());
}

void GroupValues::erase_rows_of(int64_t window_start) {
  KAPPA_INVARIANT(windows_.has_value(), "windows that expire were not expected");
  const auto found = windows_->find(window_start);
  if (found == windows_->end()) return;
  for (const state::RowId row : found->second.rows) {
    if (table_->live(row) && window_of(row) == window_start) table_->erase(row);
  }
  windows_->erase(found);
}

void GroupValues::order_again(std::span<const state::RowId> values) {
  Arena arena;
  const auto key = key_columns(*table_, values, table_->layout().key().size() - 1, arena);
  std::vector<uint64_t> hashes;
  hash_columns(key, values.size(), &hashes);
  std::vector<state::RowId> groups(values.size());
  groups_.find(key, hashes, groups);
  for (size_t i = 0; i < values.size(); ++i) {
    KAPPA_INVARIANT(groups[i] != state::kNoRow, "a value of no group");
    ordered_->insert(groups[i], values[i]);
  }
}

void GroupValues::restored() {
  if (windows_) {
    windows_->clear();
    for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
      if (table_->live(id)) note_window(id);
    }
  }
  if (!ordered_) return;
  ordered_->clear();
  constexpr size_t kRowsAtOnce = 4096;
  std::vector<state::RowId> values;
  for (state::RowId id = 0; id < table_->row_ids_end(); ++id) {
    if (!table_->live(id) || times(id) <= 0) continue;
    values.push_back(id);
    if (values.size() < kRowsAtOnce) continue;
    order_again(values);
    values.clear();
  }
  order_again(values);
}

}  // namespace kappa::operators
