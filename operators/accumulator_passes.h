#pragma once

#include <optional>
#include <span>

#include "operators/accumulator_rows.h"
#include "operators/plan.h"
#include "state/row_layout.h"

// Several running values of a group in one pass over a batch's rows. Where many rows are of one
// group, each of its values waits for what the row before has stored; taken together they wait at
// the same time.
namespace kappa::operators {

// A count of the rows whose argument is not null and whose filter is true.
struct CountedRows {
  int argument = -1;
  int filter = -1;
  state::RowField field;
};
inline constexpr size_t kCountsTogetherMax = 4;
// So many rows of groups stay in the second-level cache while one pass after another goes over
// them.
inline constexpr size_t kPassRowsMax = 1024;
// Adds up to kPassRowsMax rows to up to kCountsTogetherMax counts.
void count_together(const Batch& input, std::span<const CountedRows> counts,
                    const AccumulatorRows& rows);

// What is kept of one argument, of any type but text, under one filter.
struct NumberFields {
  int argument = -1;
  int filter = -1;
  std::optional<state::RowField> sum;  // in 128 bits, of integers and decimals
  std::optional<state::RowField> min;  // these two of rows that are only appended
  std::optional<state::RowField> max;
};
void take_numbers(const Batch& input, const NumberFields& fields, const AccumulatorRows& rows);

}  // namespace kappa::operators
