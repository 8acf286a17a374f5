#include "operators/group_sketches.h"

#include "engine/types/hash.h"
#include "operators/distinct_sketch.h"

namespace kappa::operators {

using state::Table;

GroupSketches::GroupSketches(state::TableId id, const std::vector<Type>& group_key, int argument,
                             int filter, state::RowField estimate, Table& groups)
    : argument_(argument),
      filter_(filter),
      estimate_(estimate),
      groups_(groups),
      table_(std::make_unique<Table>(id, state::RowLayout(group_key, {Type::bytea()}))) {}

// Rows that are there are not touched: most values change nothing.
std::vector<state::RowId> GroupSketches::rows_of(std::span<const ColumnRef> key,
                                                 const std::vector<uint32_t>& seen) {
  const std::vector<ColumnRef> groups = gather_columns(key, seen);
  std::vector<uint64_t> hashes;
  hash_columns(groups, seen.size(), &hashes);
  std::vector<state::RowId> rows(seen.size());
  table_->find(groups, hashes, rows);
  std::vector<uint32_t> missing;
  std::vector<uint64_t> missing_hashes;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != state::kNoRow) continue;
    missing.push_back(i);
    missing_hashes.push_back(hashes[i]);
  }
  std::vector<state::RowId> made(missing.size());
  table_->find_or_insert(gather_columns(groups, missing), missing_hashes, made, nullptr);
  for (size_t i = 0; i < missing.size(); ++i) rows[missing[i]] = made[i];
  return rows;
}

void GroupSketches::find(const Batch& input, std::span<const ColumnRef> key) {
  const std::vector<uint32_t> seen = rows_seen(input, argument_, filter_);
  const std::vector<state::RowId> rows = rows_of(key, seen);
  const ColumnRef values[] = {
      std::make_shared<const Column>(input.columns[static_cast<size_t>(argument_)]->gather(seen))};
  std::vector<uint64_t> of_values;
  hash_columns(values, seen.size(), &of_values);
  found_.assign(input.rows, state::kNoRow);
  hashes_.assign(input.rows, 0);
  for (size_t i = 0; i < seen.size(); ++i) {
    found_[seen[i]] = rows[i];
    hashes_[seen[i]] = of_values[i];
  }
}

void GroupSketches::apply(size_t begin, size_t end, std::span<const state::RowId> groups) {
  const state::RowField& field = table_->layout().values()[0];
  for (size_t i = begin; i < end; ++i) {
    const state::RowId id = found_[i];
    if (id == state::kNoRow) continue;
    if (!DistinctSketch::add(Table::get_string(table_->row(id), field), hashes_[i], &bytes_)) {
      continue;
    }
    table_->touch(id);
    table_->set_string(id, field, bytes_);
    Table::get<int64_t>(groups_.row(groups[i - begin]), estimate_) =
        DistinctSketch::estimate(bytes_);
  }
}

void GroupSketches::erase_window(int64_t /*window_start*/, std::span<const state::RowId> groups) {
  Arena arena;
  const auto key = key_columns(groups_, groups, table_->layout().key().size(), arena);
  std::vector<uint64_t> hashes;
  hash_columns(key, groups.size(), &hashes);
  std::vector<state::RowId> rows(groups.size());
  table_->find(key, hashes, rows);
  for (const state::RowId row : rows) {
    if (row != state::kNoRow) table_->erase(row);
  }
}

}  // namespace kappa::operators
