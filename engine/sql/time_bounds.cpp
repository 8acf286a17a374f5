#include "engine/sql/time_bounds.h"

#include <algorithm>
#include <string_view>

#include "engine/types/time.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;

namespace {

// times_left * left + times_right * right + us
struct Linear {
  int times_left = 0;
  int times_right = 0;
  int64_t us = 0;

  Linear minus(const Linear& other) const {
    return {times_left - other.times_left, times_right - other.times_right,
            saturating_add(us, -other.us)};
  }
};

std::optional<Linear> linear(const Expr& expr, int left, int right) {
  if (expr.kind == ExprKind::kColumn && expr.column == left) return Linear{1, 0, 0};
  if (expr.kind == ExprKind::kColumn && expr.column == right) return Linear{0, 1, 0};
  if (expr.kind == ExprKind::kConstant && expr.type.id == TypeId::kInterval &&
      !expr.constant.is_null()) {
    return Linear{0, 0, std::get<int64_t>(expr.constant.data)};
  }
  if (expr.kind != ExprKind::kCall || expr.args.size() != 2) return std::nullopt;
  const bool adds = expr.function->name == "+";
  if (!adds && expr.function->name != "-") return std::nullopt;
  const auto first = linear(*expr.args[0], left, right);
  const auto second = linear(*expr.args[1], left, right);
  if (!first || !second) return std::nullopt;
  return adds ? first->minus(Linear().minus(*second)) : first->minus(*second);
}

// As its sides change places.
std::string_view mirrored(std::string_view comparison) {
  if (comparison == "<") return ">";
  if (comparison == "<=") return ">=";
  if (comparison == ">") return "<";
  if (comparison == ">=") return "<=";
  return comparison;
}

std::optional<TimeBounds> bounds_of(const Expr& condition, int left, int right) {
  if (condition.kind != ExprKind::kCall || condition.args.size() != 2) return std::nullopt;
  std::string_view comparison = condition.function->name;
  const auto first = linear(*condition.args[0], left, right);
  const auto second = linear(*condition.args[1], left, right);
  if (!first || !second) return std::nullopt;
  // ±(right - left) + us compared with 0.
  const Linear difference = first->minus(*second);
  if (difference.times_left * difference.times_right != -1) return std::nullopt;
  const bool forth = difference.times_right == 1;
  if (!forth) comparison = mirrored(comparison);
  const int64_t us = forth ? -difference.us : difference.us;
  if (comparison == "<") return TimeBounds{{}, saturating_add(us, -1)};
  if (comparison == "<=") return TimeBounds{{}, us};
  if (comparison == ">") return TimeBounds{saturating_add(us, 1), {}};
  if (comparison == ">=") return TimeBounds{us, {}};
  if (comparison == "=") return TimeBounds{us, us};
  return std::nullopt;
}

}  // namespace

void TimeBounds::narrow(const TimeBounds& other) {
  if (other.from_us) from_us = std::max(from_us.value_or(*other.from_us), *other.from_us);
  if (other.to_us) to_us = std::min(to_us.value_or(*other.to_us), *other.to_us);
}

TimeBounds take_time_bounds(int left, int right, std::vector<operators::ExprRef>* conditions) {
  TimeBounds bounds;
  std::vector<operators::ExprRef> rest;
  for (operators::ExprRef& condition : *conditions) {
    if (const auto some = bounds_of(*condition, left, right)) {
      bounds.narrow(*some);
    } else {
      rest.push_back(std::move(condition));
    }
  }
  *conditions = std::move(rest);
  return bounds;
}

}  // namespace kappa::sql
