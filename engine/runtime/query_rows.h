#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sql/query.h"
#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "operators/plan.h"

namespace kappa::runtime {

// Whether two values of columns of one type are the same: nulls are, as are NaNs, and 0 and -0.
bool same_value(const Column& a, size_t row_a, const Column& b, size_t row_b);

// Rows that a query keeps: columns, and the strings that they point to.
class QueryRows {
 public:
  explicit QueryRows(const operators::Schema& schema);

  // Adds all rows of `batch`, or those that `picked` lists; their strings are copied.
  void append(const Batch& batch);
  void append(const Batch& batch, const std::vector<uint32_t>& picked);

  size_t rows() const { return rows_; }
  const Column& column(int column) const { return columns_[static_cast<size_t>(column)]; }
  size_t bytes() const;

  // The order in which `keys` put the rows: at most the first `rows_max` of them. Rows that are
  // equal by the keys stay in the order in which they came.
  std::vector<uint32_t> order(const std::vector<sql::SortKey>& keys, size_t rows_max) const;
  // Goes on with the rows `picked` alone, in that order.
  void keep(const std::vector<uint32_t>& picked);

  // Hands the columns over as a batch and is empty afterwards. The strings stay here, until
  // take_arena().
  Batch take_rows();
  Arena take_arena() { return std::move(arena_); }

 private:
  void own_strings(Column& column, size_t from);

  std::vector<Column> columns_;
  size_t rows_ = 0;
  Arena arena_;
};

// Finds rows by hash: row numbers are given out in the order of add(). Chained, so that a bucket's
// rows come in the reverse of that order.
class RowIndex {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  void add(uint64_t hash);
  // The last added row of that hash, and the one added before `row` with the same hash.
  uint32_t first(uint64_t hash) const;
  uint32_t next(uint32_t row) const { return skip_others(next_[row], hashes_[row]); }

  size_t rows() const { return hashes_.size(); }
  size_t bytes() const;

 private:
  uint32_t skip_others(uint32_t row, uint64_t hash) const;
  void rehash();

  std::vector<uint64_t> hashes_;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> heads_;
};

}  // namespace kappa::runtime
