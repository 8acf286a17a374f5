#pragma once

#include <algorithm>
#include <vector>

#include "engine/types/hash.h"
#include "state/table.h"

namespace kappa::operators {

// After a restart: finds again, for each row that a side of a join keeps (JoinRows, TimedRows),
// the row of `index` that has its join key, and calls `link(row, row of index)`, in the order of
// row ids.
template <typename Side, typename Link>
void relink(const Side& side, state::Table& index, Link&& link) {
  constexpr state::RowId kRowsAtOnce = 4096;
  const state::Table& table = side.table();
  for (state::RowId begin = 0; begin < table.row_ids_end(); begin += kRowsAtOnce) {
    Arena arena;
    std::vector<state::RowId> rows;
    const state::RowId end = std::min(begin + kRowsAtOnce, table.row_ids_end());
    for (state::RowId row = begin; row < end; ++row) {
      if (table.live(row)) rows.push_back(row);
    }
    if (rows.empty()) continue;
    const std::vector<ColumnRef> key = side.key_of(rows, arena);
    std::vector<uint64_t> hashes;
    hash_columns(key, rows.size(), &hashes);
    std::vector<state::RowId> found(rows.size());
    index.find_or_insert(key, hashes, found, nullptr);
    for (size_t i = 0; i < rows.size(); ++i) link(rows[i], found[i]);
  }
}

}  // namespace kappa::operators
