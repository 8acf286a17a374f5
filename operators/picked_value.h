#pragma once

#include <optional>

#include "operators/accumulator_rows.h"
#include "operators/plan.h"

namespace kappa::operators {

// What arg_min(value, by) and the like keep in a group's row: `value` of the row whose `by` is the
// least, or the greatest. Of rows with an equal one, the first in the order is taken, or the last.
// A row without a `by` is none; a value may be NULL. first(x) and last(x) are that by event time.
struct PickedValue {
  int value;  // input columns
  int by;
  int filter;
  bool greatest;
  bool last_of_equals;
  state::RowField by_field;  // null until there is a row
  state::RowField value_field;
  std::optional<state::RowField> number_field;  // of the row picked; beside `by`
};

// Lets rows of an append-only input, in their order, take the place of those that were picked.
void pick_values(const PickedValue& picked, const Batch& input, const AccumulatorRows& rows);

}  // namespace kappa::operators
