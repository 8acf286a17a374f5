#include "engine/sql/aggregate_calls.h"

#include <algorithm>

namespace kappa::sql {
namespace {

bool equal(const operators::ExprRef& a, const operators::ExprRef& b) {
  if (!a || !b) return !a && !b;
  return operators::describe(*a) == operators::describe(*b);
}

}  // namespace

int AggregateCalls::add(AggregateExpr aggregate) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const AggregateExpr& other) {
    return other.kind == aggregate.kind && equal(other.argument, aggregate.argument) &&
           equal(other.filter, aggregate.filter);
  });
  if (found != all_.end()) return static_cast<int>(found - all_.begin());
  all_.push_back(std::move(aggregate));
  return static_cast<int>(all_.size()) - 1;
}

}  // namespace kappa::sql
