#pragma once

#include <memory>
#include <span>
#include <vector>

#include "operators/operator.h"
#include "state/table.h"

namespace kappa::operators {

// The rows of one side of a relation join, on one worker.
//
// State: one row a row of the side, key = the columns of the join key, then those that tell the
// side's rows apart; values = the other columns, and with `counts` a number of the join's own.
//
// The rows of one join key hang together in a chain, in no order. Where a chain begins is the
// join's business; it is no state, and after a restart rows are linked again.
class JoinRows {
 public:
  JoinRows(state::TableId id, const Schema& schema, const std::vector<int>& key,
           const std::vector<int>& row_id, bool counts);

  state::Table& table() { return *table_; }
  const state::Table& table() const { return *table_; }
  // The columns of the join key.
  std::vector<ColumnRef> key_of(const Batch& batch) const;
  std::vector<ColumnRef> key_of(std::span<const state::RowId> rows, Arena& arena) const;

  // Looks up the rows of a batch, and makes those that are not there; `key_hashes` are those of the
  // join key.
  void find(const Batch& batch, const std::vector<uint64_t>& key_hashes);
  // The row for a row of that batch.
  state::RowId found(size_t row) const { return found_[row]; }
  // Removes those of them that hang in no chain.
  void drop_unlinked();

  void store(state::RowId row, const Batch& batch, size_t batch_row);
  int64_t count(state::RowId row) const;
  void set_count(state::RowId row, int64_t count);

  bool linked(state::RowId row) const { return row < links_.size() && links_[row].linked; }
  // Into and out of the chain that begins with *first, or kNoRow.
  void link(state::RowId row, state::RowId* first);
  void unlink(state::RowId row, state::RowId* first);
  // The rows of a chain, by their key in the table.
  void chain(state::RowId first, std::vector<state::RowId>* rows) const;

  // Appends a row's columns to those from `columns` on; kNoRow: NULLs.
  void append(state::RowId row, std::span<Column> columns, Arena& arena) const;

 private:
  struct Link {
    state::RowId next = state::kNoRow;
    state::RowId previous = state::kNoRow;
    bool linked = false;
  };

  const std::vector<int> key_;
  std::vector<int> id_;      // beside the join key
  std::vector<int> values_;  // the other columns
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;
  state::RowField count_;
  std::vector<std::byte> nulls_;  // a row's image with all fields NULL
  std::vector<Link> links_;       // by row
  std::vector<state::RowId> found_;
};

}  // namespace kappa::operators
