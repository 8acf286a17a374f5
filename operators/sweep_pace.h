#pragma once

#include <algorithm>
#include <cstddef>

namespace kappa::operators {

// A sweep that goes round a table, some rows at a time: few as a rule, and twice as many as the
// table has grown by since the last time. So its work is bounded by what came in, and a table that
// forgets never holds much more than twice what it must.
class SweepPace {
 public:
  explicit SweepPace(size_t rows_least = 32) : rows_least_(rows_least) {}

  // How many rows to look at, of a table that has `rows` now.
  size_t rows_to_look_at(size_t rows) const {
    return std::max(rows_least_, rows > rows_left_ ? 2 * (rows - rows_left_) : 0);
  }
  // So many has it after the sweep.
  void swept(size_t rows) { rows_left_ = rows; }

 private:
  size_t rows_least_;
  size_t rows_left_ = 0;
};

}  // namespace kappa::operators
