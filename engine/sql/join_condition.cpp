#include "engine/sql/join_condition.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;

namespace {

// Which sides of a join an expression reads.
struct Sides {
  bool left = false;
  bool right = false;
};
Sides sides_of(const Expr& expr, int left_width) {
  std::set<int> columns;
  collect_columns(expr, &columns);
  return {!columns.empty() && *columns.begin() < left_width,
          !columns.empty() && *columns.rbegin() >= left_width};
}

std::vector<ExprRef> conjuncts(const ExprRef& condition) {
  if (condition->kind != ExprKind::kAnd) return {condition};
  std::vector<ExprRef> all;
  for (const ExprRef& arg : condition->args) {
    const auto inner = conjuncts(arg);
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

}  // namespace

ExprRef all_of(std::vector<ExprRef> conditions) {
  if (conditions.empty()) return nullptr;
  if (conditions.size() == 1) return conditions[0];
  const operators::SqlPosition position = conditions[0]->position;
  return make_expr(ExprKind::kAnd, Type::boolean(), position, std::move(conditions));
}

absl::Status needs_equality(const Node& condition) {
  return fault(condition, "a join needs an equality between its sides",
               "write ON a.x = b.x, and further conditions with AND");
}

absl::Status check_aliases(const Scope& left, const Scope& right, const Node& at) {
  for (const Scope::Column& column : right.columns()) {
    const auto& others = left.columns();
    const bool taken = std::any_of(others.begin(), others.end(), [&](const auto& other) {
      return other.relation == column.relation;
    });
    if (taken) {
      return fault(at, absl::StrCat("FROM has two tables \"", column.relation, "\""),
                   "give one of them an alias");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<JoinCondition> bind_join_condition(const Node& condition, const SourceText& text,
                                                  const Scope& join, int left_width) {
  const ExpressionBinder binder(text, join, "ON");
  KAPPA_ASSIGN_OR_RETURN(const ExprRef bound, binder.bind_condition(condition));
  const auto to_right = [&](const ExprRef& expr) {
    return move_columns(expr, [&](int column) { return column - left_width; });
  };
  JoinCondition parts;
  std::vector<ExprRef> right_filters;
  for (const ExprRef& part : conjuncts(bound)) {
    const bool equality = part->kind == ExprKind::kCall && part->function->name == "=";
    const Sides first = equality ? sides_of(*part->args[0], left_width) : Sides();
    const Sides second = equality ? sides_of(*part->args[1], left_width) : Sides();
    const bool forth = first.left && !first.right && second.right && !second.left;
    const bool back = second.left && !second.right && first.right && !first.left;
    const Sides sides = sides_of(*part, left_width);
    if (forth || back) {
      const std::vector<Operand> pair = {{part->args[forth ? 0 : 1], &condition},
                                         {part->args[forth ? 1 : 0], &condition}};
      KAPPA_ASSIGN_OR_RETURN(const auto same, unify(pair, "ON"));
      parts.equalities.emplace_back(same[0], to_right(same[1]));
    } else if (sides.right && !sides.left) {
      right_filters.push_back(to_right(part));
    } else {
      parts.residuals.push_back(part);
    }
  }
  parts.right_filter = all_of(std::move(right_filters));
  return parts;
}

}  // namespace kappa::sql
