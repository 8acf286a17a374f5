#pragma once

#include <vector>

#include "operators/plan.h"

namespace kappa::sql {

// An aggregate of a SELECT, over the columns of its FROM.
struct AggregateExpr {
  operators::AggregateKind kind;
  operators::ExprRef argument = nullptr;  // null: count(*)
  operators::ExprRef filter = nullptr;    // null: none
  Type result = Type::null();
  operators::SqlPosition position = {};
};

// The aggregates of a SELECT in the order in which they are met, equal ones once.
class AggregateCalls {
 public:
  // Its index.
  int add(AggregateExpr aggregate);
  const std::vector<AggregateExpr>& all() const { return all_; }

 private:
  std::vector<AggregateExpr> all_;
};

}  // namespace kappa::sql
