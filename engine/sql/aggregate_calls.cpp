#include "engine/sql/aggregate_calls.h"

#include <algorithm>
#include <iterator>

namespace kappa::sql {
namespace {

bool equal(const operators::ExprRef& a, const operators::ExprRef& b) {
  if (!a || !b) return !a && !b;
  return operators::describe(*a) == operators::describe(*b);
}

using operators::AggregateKind;
using Second = AggregateSignature::Second;

constexpr AggregateSignature kAggregates[] = {
    {"count", AggregateKind::kCount},
    {"sum", AggregateKind::kSum},
    {"avg", AggregateKind::kAvg},
    {"min", AggregateKind::kMin},
    {"max", AggregateKind::kMax},
    {"stddev", AggregateKind::kStddev},
    {"stddev_samp", AggregateKind::kStddev},
    {"stddev_pop", AggregateKind::kStddevPop},
    {"first", AggregateKind::kFirst, Second::kEventTime},
    {"last", AggregateKind::kLast, Second::kEventTime},
    {"arg_min", AggregateKind::kArgMin, Second::kBy},
    {"arg_max", AggregateKind::kArgMax, Second::kBy},
    {"decayed_sum", AggregateKind::kDecayedSum, Second::kHalfLife},
    {"approx_count_distinct", AggregateKind::kApproxCountDistinct},
    {"approx_quantile", AggregateKind::kApproxQuantile, Second::kQuantile},
};

}  // namespace

const AggregateSignature* find_aggregate(std::string_view name) {
  const auto* found = std::find_if(std::begin(kAggregates), std::end(kAggregates),
                                   [&](const auto& aggregate) { return aggregate.name == name; });
  return found == std::end(kAggregates) ? nullptr : found;
}

int AggregateCalls::add(AggregateExpr aggregate) {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const AggregateExpr& other) {
    return other.kind == aggregate.kind && equal(other.argument, aggregate.argument) &&
           equal(other.filter, aggregate.filter) && equal(other.by, aggregate.by) &&
           other.half_life_us == aggregate.half_life_us && other.quantile == aggregate.quantile;
  });
  if (found != all_.end()) return static_cast<int>(found - all_.begin());
  all_.push_back(std::move(aggregate));
  return static_cast<int>(all_.size()) - 1;
}

}  // namespace kappa::sql
