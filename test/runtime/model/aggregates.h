#pragma once

#include <vector>

#include "test/runtime/model/plan.h"

namespace kappa::model {

// The result of one call over a bag of rows, computed from scratch.
Value aggregate(const AggregateCall& call, const std::vector<Row>& rows);

// SQL's order of two values of one type, nulls last.
int compare_nulls_last(const Value& a, const Value& b);

struct RowLess {
  bool operator()(const Row& a, const Row& b) const;
};

}  // namespace kappa::model
