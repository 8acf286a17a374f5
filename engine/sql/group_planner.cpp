#include "engine/sql/group_planner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/projected.h"
#include "engine/sql/view_planner.h"
#include "engine/types/status_macros.h"
#include "operators/windows.h"

namespace kappa::sql {

using operators::AggregateKind;
using operators::AggregateNode;
using operators::ExprRef;
using operators::NodeId;

namespace {

// The name of an aggregate that cannot give up a row that it has seen.
std::optional<std::string> cannot_take_back(const AggregateExpr& aggregate) {
  std::string name(operators::aggregate_name(aggregate.kind));
  switch (aggregate.kind) {
    case AggregateKind::kStddev:
    case AggregateKind::kStddevPop:
      if (aggregate.argument->type.id != TypeId::kDouble) return std::nullopt;
      return absl::StrCat(name, " of double precision");
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
    case AggregateKind::kArgMin:
    case AggregateKind::kArgMax:
    case AggregateKind::kDecayedSum:
    case AggregateKind::kApproxCountDistinct:
      return name;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool GroupPlanner::is_window_column(const ExprRef& expr) const {
  return is_column(expr) && expr->column >= from_.window_start();
}

absl::Status GroupPlanner::check_session() const {
  if (!from_.window || from_.window->kind != operators::GroupWindow::Kind::kSession) {
    return absl::OkStatus();
  }
  if (from_.relation->changelog) {
    return fault(*from_.window->node, "session() over rows that change is not supported yet",
                 absl::StrCat("\"", from_.relation->name,
                              "\" takes rows back; read a source, or a view with emit = 'final'"));
  }
  return absl::OkStatus();
}

absl::Status GroupPlanner::check_aggregates() const {
  if (!from_.relation->changelog) return absl::OkStatus();
  for (const AggregateExpr& aggregate : bound_.aggregates) {
    const auto what = cannot_take_back(aggregate);
    if (!what) continue;
    return fault(text_.offset(aggregate.position),
                 absl::StrCat(*what, " over rows that change is not supported yet"),
                 absl::StrCat("\"", from_.relation->name,
                              "\" takes rows back; count, sum, avg, min, max, count(DISTINCT …), "
                              "approx_quantile, and stddev of integers and numerics, can do that, "
                              "or read a view with emit = 'final'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Relation> GroupPlanner::plan(NodeId input, const ExprRef& event_time) const {
  KAPPA_RETURN_IF_ERROR(check_session());
  KAPPA_RETURN_IF_ERROR(check_aggregates());
  Projected arguments;
  AggregateNode aggregate;
  aggregate.emit = emission_.emit;
  for (const GroupColumn& group : bound_.groups) {
    if (!is_window_column(group.expr)) aggregate.groups.push_back(arguments.add(group.expr));
  }
  int time_column = -1;
  if (from_.window) {
    time_column = arguments.add(event_time);
    aggregate.window = {.kind = from_.window->kind,
                        .event_time = time_column,
                        .size_us = from_.window->size_us,
                        .step_us = from_.window->step_us,
                        .offset_us = from_.window->offset_us,
                        .grace_us = emission_.grace_us};
    aggregate.retention_us = emission_.retention_us;
  }
  for (const AggregateExpr& call : bound_.aggregates) {
    aggregate.calls.push_back({.kind = call.kind,
                               .argument = call.argument ? arguments.add(call.argument) : -1,
                               .filter = call.filter ? arguments.add(call.filter) : -1,
                               .result = call.result,
                               .position = call.position,
                               .by = call.by ? arguments.add(call.by) : -1,
                               .half_life_us = call.half_life_us,
                               .quantile = call.quantile});
  }
  KAPPA_ASSIGN_OR_RETURN(const auto row, grouped_row(aggregate));
  const std::optional<operators::GroupWindow> window = aggregate.window;
  const NodeId projected = builder_.project(
      input, arguments.take(), time_column < 0 ? std::nullopt : std::optional(time_column));
  NodeId grouped = builder_.aggregate(projected, std::move(aggregate));
  const auto over_row = [&](const ExprRef& expr) {
    return replace_columns(expr, [&](const operators::Expr& column) {
      return row[static_cast<size_t>(column.column)];
    });
  };
  // Old and new rows of a group pass by their own values, so those that no longer fit are taken
  // back.
  if (bound_.having) grouped = builder_.filter(grouped, over_row(bound_.having));

  Relation relation;
  std::vector<ExprRef> exprs;
  for (const OutputColumn& output : bound_.outputs) {
    exprs.push_back(over_row(output.expr));
    relation.columns.push_back({output.name, output.expr->type});
  }
  describe_columns(&relation);
  relation.node = builder_.project(grouped, std::move(exprs), relation.event_time());
  relation.changelog = builder_.node(grouped).changelog;
  relation.windowed = window.has_value();
  if (window) relation.held_back_us = operators::held_back_us(*window);
  find_key(&relation);
  return relation;
}

// The columns of the grouped row (groups, then aggregates) over the Aggregate's schema.
absl::StatusOr<std::vector<ExprRef>> GroupPlanner::grouped_row(
    const AggregateNode& aggregate) const {
  std::vector<ExprRef> row;
  const int window_start = static_cast<int>(aggregate.groups.size());
  int group = 0;
  for (const GroupColumn& column : bound_.groups) {
    const operators::SqlPosition position = column.expr->position;
    if (!is_window_column(column.expr)) {
      row.push_back(operators::column_expr(group++, column.expr->type, position));
      continue;
    }
    const bool start = column.expr->column == from_.window_start();
    ExprRef bound =
        operators::column_expr(window_start + (start ? 0 : 1), Type::timestamptz(), position);
    if (column.expr->column == from_.window_time()) {
      KAPPA_ASSIGN_OR_RETURN(bound, window_time_of_end(bound, *column.node));
    }
    row.push_back(std::move(bound));
  }
  const int first_call = window_start + (aggregate.window ? 2 : 0);
  for (size_t i = 0; i < aggregate.calls.size(); ++i) {
    row.push_back(operators::column_expr(first_call + static_cast<int>(i),
                                         aggregate.calls[i].result, aggregate.calls[i].position));
  }
  return row;
}

// Outputs that show the window's bounds or time say when their row happened.
void GroupPlanner::describe_columns(Relation* relation) const {
  for (size_t i = 0; i < bound_.outputs.size(); ++i) {
    const ExprRef& expr = bound_.outputs[i].expr;
    if (!is_column(expr) || expr->column >= static_cast<int>(bound_.groups.size())) continue;
    const ExprRef& group = bound_.groups[static_cast<size_t>(expr->column)].expr;
    if (!is_window_column(group)) continue;
    RelationColumn& column = relation->columns[i];
    // A start says when its row happened only where all windows have one size.
    if (group->column == from_.window_end()) {
      column.role = TimeRole::kWindowEnd;
    } else if (group->column == from_.window_time()) {
      column.role = TimeRole::kEventTime;
    } else if (from_.window->fixed_size()) {
      column.role = TimeRole::kWindowStart;
      column.window_size_us = from_.window->size_us;
    }
  }
}

// The group columns, in the order of GROUP BY; a window counts as the bounds that tell it from
// others.
void GroupPlanner::find_key(Relation* relation) const {
  const auto group_of = [&](int window_column) {
    return std::find_if(bound_.groups.begin(), bound_.groups.end(), [&](const GroupColumn& group) {
      return is_column(group.expr) && group.expr->column == window_column;
    });
  };
  std::vector<int> key;
  for (size_t i = 0; i < bound_.groups.size(); ++i) {
    if (bound_.groups[i].implied) continue;
    auto column = static_cast<int>(i);
    if (is_window_column(bound_.groups[i].expr)) {
      const int bound = from_.key_bound(bound_.groups[i].expr->column);
      column = static_cast<int>(group_of(bound) - bound_.groups.begin());
    }
    const auto shown =
        std::find_if(bound_.outputs.begin(), bound_.outputs.end(), [&](const OutputColumn& output) {
          return is_column(output.expr) && output.expr->column == column;
        });
    if (shown == bound_.outputs.end()) {
      const Node& node = *bound_.groups[i].node;
      const std::string& name = bound_.groups[static_cast<size_t>(column)].name;
      const std::string text =
          name == "?column?" ? "a GROUP BY expression" : absl::StrCat("\"", name, "\"");
      relation->no_key_reason = absl::StrCat("the key column ", text, " is not selected");
      relation->no_key_hint =
          "a grouped view is kept by its GROUP BY columns: add it to the SELECT list";
      relation->no_key_offset = node.offset;
      return;
    }
    const auto index = static_cast<int>(shown - bound_.outputs.begin());
    if (std::find(key.begin(), key.end(), index) == key.end()) key.push_back(index);
  }
  relation->key = std::move(key);
  relation->conflict = operators::ViewNode::Conflict::kGrouped;
}

}  // namespace kappa::sql
