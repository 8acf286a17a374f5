#include "engine/sql/interval_join_planner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/relation_join_planner.h"
#include "engine/sql/time_bounds.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"
#include "engine/types/value.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::IntervalJoinNode;
using operators::ViewNode;

namespace {

constexpr char kJoinTime[] = "join_time";

std::string span_text(int64_t us) {
  return absl::StrCat("'", to_text(Value{Type::interval(), us}), "'");
}

std::string name_of_time(const JoinSide& side) {
  const Scope::Column& column = side.scope.column(*side.rows.event_time());
  return column.relation.empty() ? column.name : absl::StrCat(column.relation, ".", column.name);
}

absl::Status check_event_time(const Node& at, const JoinSide& side) {
  if (side.rows.event_time()) return absl::OkStatus();
  return fault(at,
               absl::StrCat("a join of two append-only inputs is bounded by their event times, and "
                            "\"",
                            side.rows.name, "\" has none"),
               "declare the source with OPTIONS (event_time 'column') and select that column in "
               "the views between; or keep the latest row of a key: a view WITH (key = '…')");
}

// Rows that a view above has forgotten by now would still be matched.
absl::Status check_retention(const Node& at, const JoinSide& side, int64_t reach_us) {
  if (!side.rows.retention_us || *side.rows.retention_us >= reach_us) return absl::OkStatus();
  return fault(at,
               absl::StrCat("the join reaches back ", span_text(reach_us), ", but \"",
                            side.rows.name, "\" is kept for ", span_text(*side.rows.retention_us)),
               "give the view a longer retention, or the join closer bounds");
}

bool has_time_bounds(const JoinSide& left, const JoinSide& right, const JoinCondition& on) {
  const auto left_time = left.rows.event_time();
  const auto right_time = right.rows.event_time();
  if (!left_time || !right_time) return false;
  auto conditions = on.residuals;
  const TimeBounds bounds =
      take_time_bounds(*left_time, left.scope.size() + *right_time, &conditions);
  return bounds.from_us || bounds.to_us;
}

// Equal event times are bounds too; they stay what the rows are dealt out by.
TimeBounds bounds_of_equalities(int left_time, int right_time, const JoinCondition& on) {
  const bool equal = std::any_of(on.equalities.begin(), on.equalities.end(), [&](const auto& pair) {
    return is_column(pair.first) && pair.first->column == left_time && is_column(pair.second) &&
           pair.second->column == right_time;
  });
  return equal ? TimeBounds{0, 0} : TimeBounds{};
}

}  // namespace

bool is_interval_join(const JoinSide& left, const JoinSide& right, const JoinCondition& on) {
  if (left.rows.changelog || right.rows.changelog) return false;
  // Without event times it is at best a lookup, and told what that takes.
  if (!left.rows.event_time() || !right.rows.event_time()) return false;
  if (right.rows.source || !right.rows.key) return true;
  const bool by_key = std::all_of(right.rows.key->begin(), right.rows.key->end(),
                                  [&](int column) { return is_equated(on, column); });
  return !by_key && has_time_bounds(left, right, on);
}

absl::StatusOr<IntervalJoinNode> bind_interval_join(const Node& join, const SourceText& text,
                                                    const JoinSide& left, const JoinSide& right,
                                                    bool outer, int64_t grace_us,
                                                    JoinCondition* on) {
  KAPPA_RETURN_IF_ERROR(check_event_time(*join.child("larg"), left));
  KAPPA_RETURN_IF_ERROR(check_event_time(*join.child("rarg"), right));
  IntervalJoinNode op{.key = {},
                      .outer = outer,
                      .left_time = *left.rows.event_time(),
                      .right_time = *right.rows.event_time(),
                      .grace_us = grace_us};
  TimeBounds bounds = bounds_of_equalities(op.left_time, op.right_time, *on);
  bounds.narrow(take_time_bounds(op.left_time, left.scope.size() + op.right_time, &on->residuals));
  const Node& condition = *join.child("quals");
  if (!bounds.from_us || !bounds.to_us) {
    const char* missing = bounds.from_us ? "an upper bound of"
                          : bounds.to_us ? "a lower bound of"
                                         : "bounds of";
    const std::string left_name = name_of_time(left);
    return fault(condition,
                 absl::StrCat("a join of two append-only inputs needs ", missing,
                              " the distance of their event times"),
                 absl::StrCat("add AND ", name_of_time(right), " BETWEEN ", left_name,
                              " - INTERVAL '1 minute' AND ", left_name, " + INTERVAL '5 minutes'"));
  }
  op.from_us = *bounds.from_us;
  op.to_us = *bounds.to_us;
  if (op.from_us > op.to_us) {
    return fault(condition, "no two rows are within the time bounds of this join");
  }
  if (outer && !on->residuals.empty()) {
    return fault(text.offset(on->residuals.front()->position),
                 "LEFT JOIN of append-only inputs takes equalities, time bounds and conditions on "
                 "its right side only, so far",
                 "filter the left side in a subquery before joining");
  }
  const auto reach_us = [&](int64_t bound_us) { return std::max<int64_t>(bound_us, 0) + grace_us; };
  KAPPA_RETURN_IF_ERROR(check_retention(*join.child("larg"), left, reach_us(op.to_us)));
  KAPPA_RETURN_IF_ERROR(check_retention(*join.child("rarg"), right, reach_us(-op.from_us)));
  return op;
}

Relation plan_interval_join(PlanBuilder& builder, const JoinSide& left, const JoinSide& right,
                            const JoinCondition& on, IntervalJoinNode op) {
  Relation rows;
  rows.columns = left.rows.columns;
  rows.by_records = !op.outer && left.rows.by_records && right.rows.by_records;
  if (left.rows.key && right.rows.key) {
    rows.key = key_of_join(left, right, on);
    const bool first_wins = left.rows.conflict == ViewNode::Conflict::kFirstWins ||
                            right.rows.conflict == ViewNode::Conflict::kFirstWins;
    if (first_wins) rows.conflict = ViewNode::Conflict::kFirstWins;
  }
  rows.no_key_reason = "a view over this join needs a key of each side";
  rows.no_key_hint =
      "declare a PRIMARY KEY of each source and select it, or name a key of the view: "
      "WITH (key = '…')";
  rows.node = builder.interval_join(left.rows.node, right.rows.node, std::move(op));
  return rows;
}

absl::Status add_join_time(PlanBuilder& builder, const Node& join, int left, int right,
                           JoinSide* joined) {
  std::vector<ExprRef> columns;
  for (const RelationColumn& column : joined->rows.columns) {
    columns.push_back(operators::column_expr(static_cast<int>(columns.size()), column.type));
  }
  // Of a row without a match it is the left one: greatest() passes over NULLs.
  KAPPA_ASSIGN_OR_RETURN(ExprRef time, make_call(join, {}, "greatest",
                                                 {{columns[static_cast<size_t>(left)], &join},
                                                  {columns[static_cast<size_t>(right)], &join}}));
  const auto place = static_cast<int>(columns.size());
  columns.push_back(std::move(time));
  joined->rows.node = builder.project(joined->rows.node, std::move(columns), place);
  joined->rows.columns.push_back({.name = kJoinTime,
                                  .type = Type::timestamptz(),
                                  .role = TimeRole::kEventTime,
                                  .hidden = true});
  joined->scope.add(
      {.relation = "", .name = kJoinTime, .type = Type::timestamptz(), .in_star = false});
  return absl::OkStatus();
}

}  // namespace kappa::sql
