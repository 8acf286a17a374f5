#pragma once

#include <vector>

#include "test/runtime/model/plan.h"

namespace kappa::model {

// A group's rows in the order in which they came, and how: what was put in and taken out since it
// was last empty. Only what is computed of doubles looks at the latter: sums that take rows back,
// and what is kept of sessions that became one, where that of the sessions is added, from the
// earliest on.
struct Bag {
  struct Change {
    int sign;
    Row row;
  };
  std::vector<Row> rows;
  std::vector<Bag> parts;  // that it was made of, before its own changes
  std::vector<Change> changes;

  void apply(int sign, const Row& row);
  // Of sessions, whose rows have the number of their arrival as their last column.
  void take_over(const Bag& part);
};

// The result of one call over a bag, computed from scratch.
Value aggregate(const AggregateCall& call, const Bag& bag);

// Of keys, and of least and greatest values, -0.0 is 0.0.
Value without_negative_zero(Value value);
// As it is kept by a key.
Row kept_row(Row row, const std::vector<size_t>& key);

// SQL's order of two values of one type, nulls last.
int compare_nulls_last(const Value& a, const Value& b);

struct RowLess {
  bool operator()(const Row& a, const Row& b) const;
};
// NaN equals NaN here, as it does in SQL.
bool same_row(const Row& a, const Row& b);
// The first of the rows that is the same.
std::vector<Row>::iterator find_row(std::vector<Row>& rows, const Row& row);

}  // namespace kappa::model
