#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/types/batch.h"
#include "operators/plan.h"
#include "operators/row_order.h"
#include "state/table.h"

namespace kappa::operators {

// The rows that a TopN keeps, and how they rank.
//
// State: a row each, key = the columns of the TopN's key, the other columns, and which of several
// equal rows it is, from 0; values = a number that tells rows that tie apart, in the order in which
// they came, and (of the first of equal rows) how many of them there are.
//
// A row of the table that was looked up, and of which there is none, is swept away at the end of a
// batch.
class RankedRows {
 public:
  RankedRows(uint64_t operator_id, const Schema& input, const TopNNode& op);

  // Looks the rows of a batch up. Until sweep() the batch is borrowed, and rows are named by their
  // index in it.
  void look_up(const Batch& batch);
  // Keeps one more row like that of the batch. It ranks behind those that it ties with until it
  // gets a number.
  state::RowId add(size_t row);
  // The last of the rows kept that equal that of the batch, or kNoRow.
  state::RowId last_equal(size_t row);
  // Lets go of a row: the last of its equals. What it holds can be read until sweep().
  void remove(state::RowId id);
  void sweep();

  // Numbers a row that add() has made, given the row before it, if there is one.
  void number(state::RowId id, std::optional<state::RowId> before);
  // Whether row a ranks before row b.
  bool before(state::RowId a, state::RowId b) const;
  // Whether a row of a batch would rank before row b.
  bool before(const Batch& batch, size_t row, state::RowId b) const {
    return order_.compare(batch, row, table_.row(b)) < 0;
  }

  state::Table& table() { return table_; }
  const state::Table& table() const { return table_; }
  // Where a row has the columns of the input.
  std::span<const state::RowField> fields() const { return field_of_column_; }

 private:
  int64_t& number_of(state::RowId id);
  int64_t number_of(state::RowId id) const;
  int32_t& equals_of(state::RowId id);
  // The columns of one row's key, as the n-th of its equals, and their hash.
  std::vector<ColumnRef> key_of(size_t row, int32_t nth, uint64_t* hash) const;

  std::vector<int> key_columns_;  // of the input: the TopN's key, then the others
  state::Table table_;
  std::vector<state::RowField> field_of_column_;
  RowOrder order_;

  std::vector<ColumnRef> key_;  // of the batch looked up
  std::vector<state::RowId> ids_;
  std::vector<state::RowId> removed_;  // equals that are to be erased
};

}  // namespace kappa::operators
