#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "operators/operator.h"
#include "state/table.h"

namespace kappa::operators {

// The rows that one side of an interval join keeps, on one worker.
//
// State: a row each, key = the columns of the join key, the event time, and a number that tells
// rows of one key and time apart in the order in which they came; values = the other columns, and
// with `notes_matches` whether the row was given out in a pair.
//
// The rows of one join key are a series, ordered by time and number. Series are named by who keeps
// the join keys; they are no state, and after a restart rows are linked again.
class TimedRows {
 public:
  struct Kept {
    int64_t time_us;
    int64_t number;
    state::RowId row;
    auto position() const { return std::pair(time_us, number); }
  };

  TimedRows(state::TableId id, const Schema& schema, const std::vector<int>& key, int time,
            bool notes_matches);

  state::Table& table() { return *table_; }
  const state::Table& table() const { return *table_; }
  std::vector<ColumnRef> key_of(const Batch& batch) const;
  std::vector<ColumnRef> key_of(std::span<const state::RowId> rows, Arena& arena) const;
  int64_t time_of(const Batch& batch, size_t row) const {
    return batch.columns[static_cast<size_t>(time_)]->values<int64_t>()[row];
  }
  int64_t time_of(state::RowId row) const;

  // Keeps a row of a batch, behind those of its series that have its time.
  state::RowId insert(uint32_t series, const Batch& batch, size_t row);
  // The rows of a series from one time to another, both included.
  std::span<const Kept> range(uint32_t series, int64_t from_us, int64_t to_us) const;
  // Forgets the rows of a series up to a time, included.
  void drop_until(uint32_t series, int64_t time_us);
  bool empty(uint32_t series) const { return series_.size() <= series || kept(series).empty(); }
  // After a restart: a row that the table holds, then, once all are there, their order.
  void link(uint32_t series, state::RowId row);
  void sort_links();

  bool matched(state::RowId row) const;
  void set_matched(state::RowId row);

  // Appends a row's columns, in the order of the schema; kNoRow: NULLs.
  void append(state::RowId row, std::span<Column> columns, Arena& arena) const;

 private:
  // Rows before `first` are gone.
  struct Series {
    std::vector<Kept> rows;
    size_t first = 0;
  };
  std::span<const Kept> kept(uint32_t series) const {
    return std::span(series_[series].rows).subspan(series_[series].first);
  }
  Series& series_at(uint32_t series);
  state::RowId store(const Batch& batch, size_t row, int64_t time_us, int64_t number);

  const std::vector<int> key_;
  const int time_;
  std::vector<int> values_;  // the columns that are neither
  std::unique_ptr<state::Table> table_;
  std::vector<state::RowField> field_of_column_;
  state::RowField number_;
  state::RowField matched_;
  std::vector<std::byte> nulls_;  // a row's image with all fields NULL
  std::vector<Series> series_;
};

}  // namespace kappa::operators
