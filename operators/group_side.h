#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "operators/table_rows.h"
#include "state/table.h"

namespace kappa::operators {

// What calls of an Aggregate keep beside their groups' rows, in a table of its own whose key begins
// with the group's. It writes into the groups' rows what the calls' results are made of, so that a
// group's row alone tells them.
class GroupSide {
 public:
  virtual ~GroupSide() = default;

  virtual state::Table& table() = 0;
  // Finds, or makes, the table's rows for a batch; `key` is the groups' key of its rows.
  virtual void find(const Batch& input, std::span<const ColumnRef> key) = 0;
  // Applies rows [begin, end) of that batch; groups[i - begin] is the group of row i, touched.
  virtual void apply(size_t begin, size_t end, std::span<const state::RowId> groups) = 0;
  // Removes those of the rows found that stand for nothing any more.
  virtual void remove_empty() {}
  // Removes all rows of a window. `groups` are its groups, which are still there.
  virtual void erase_window(int64_t window_start, std::span<const state::RowId> groups) = 0;
  // After the tables were loaded.
  virtual void restored() {}
};

// The rows that a call sees: those with an argument, for which the filter (-1: none) is true.
std::vector<uint32_t> rows_seen(const Batch& input, int argument, int filter);

std::vector<ColumnRef> gather_columns(std::span<const ColumnRef> columns,
                                      const std::vector<uint32_t>& picked);

}  // namespace kappa::operators
