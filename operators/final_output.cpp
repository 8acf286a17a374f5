#include "operators/final_output.h"

#include "engine/types/time.h"
#include "operators/functions.h"

namespace kappa::operators {
namespace {

// A column's event time is its value + `offset_us`.
struct HeldTime {
  NodeId held_by;
  int64_t offset_us;
  bool operator==(const HeldTime&) const = default;
};

std::optional<HeldTime> held_time(const Plan& plan, NodeId id, int column);

// A column, or one moved by a constant.
std::optional<HeldTime> held_time(const Plan& plan, NodeId input, const Expr& expr) {
  if (expr.kind == ExprKind::kColumn) return held_time(plan, input, expr.column);
  if (expr.kind != ExprKind::kCall || expr.args.size() != 2) return std::nullopt;
  const Expr& span = *expr.args[1];
  const std::string& function = expr.function->name;
  const bool moved = (function == "+" || function == "-") && span.kind == ExprKind::kConstant &&
                     span.type.id == TypeId::kInterval && !span.constant.is_null();
  if (!moved) return std::nullopt;
  std::optional<HeldTime> time = held_time(plan, input, *expr.args[0]);
  if (!time) return std::nullopt;
  const auto by_us = std::get<int64_t>(span.constant.data);
  time->offset_us = saturating_add(time->offset_us, function == "+" ? -by_us : by_us);
  return time;
}

std::optional<HeldTime> held_time(NodeId id, const AggregateNode& op, int column) {
  if (!op.window || op.emit != Emit::kFinal) return std::nullopt;
  const int window_start = static_cast<int>(op.groups.size());
  if (column == window_start + 1) return HeldTime{id, -1};
  const bool one_size =
      op.window->kind == GroupWindow::Kind::kTumble || op.window->kind == GroupWindow::Kind::kHop;
  if (column == window_start && one_size) return HeldTime{id, op.window->size_us - 1};
  return std::nullopt;
}

std::optional<HeldTime> held_time_of_union(const Plan& plan, const PlanNode& node, int column) {
  const std::optional<HeldTime> first = held_time(plan, node.inputs.front(), column);
  for (const NodeId input : node.inputs) {
    if (held_time(plan, input, column) != first) return std::nullopt;
  }
  return first;
}

// Whether each row of its first input passes at once, with its columns in front.
bool passes_rows_on(const PlanNode& node) {
  return std::holds_alternative<FilterNode>(node.op) || std::holds_alternative<ViewNode>(node.op) ||
         std::holds_alternative<DistinctNode>(node.op) ||
         std::holds_alternative<SlidingNode>(node.op) ||
         std::holds_alternative<ArrangeNode>(node.op) || looks_up(node);
}

std::optional<HeldTime> held_time(const Plan& plan, NodeId id, int column) {
  const PlanNode& node = plan.node(id);
  if (const auto* op = std::get_if<AggregateNode>(&node.op)) {
    return held_time(id, *op, column);
  }
  if (const auto* op = std::get_if<ReorderNode>(&node.op)) {
    if (column != op->event_time) return std::nullopt;
    return HeldTime{id, 0};
  }
  if (const auto* op = std::get_if<ProjectNode>(&node.op)) {
    return held_time(plan, node.inputs[0], *op->exprs[static_cast<size_t>(column)]);
  }
  if (std::holds_alternative<UnionNode>(node.op)) return held_time_of_union(plan, node, column);
  if (!passes_rows_on(node)) return std::nullopt;
  const NodeId input = node.inputs[0];
  if (static_cast<size_t>(column) >= plan.node(input).schema.size()) return std::nullopt;
  return held_time(plan, input, column);
}

std::optional<FinalOutput> final_output(const Plan& plan, const PlanNode& node, OutputName name) {
  const NodeId input = node.inputs[0];
  if (plan.node(input).changelog || sink_of(plan, node.id).upsert) return std::nullopt;
  const Schema& schema = plan.node(input).schema;
  for (size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].type.id != TypeId::kTimestamptz) continue;
    const int column = static_cast<int>(i);
    if (const auto time = held_time(plan, input, column)) {
      return FinalOutput{std::move(name), node.id, column, time->offset_us, time->held_by};
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<FinalOutput> final_outputs(const Plan& plan) {
  std::vector<FinalOutput> found;
  std::map<std::string, int> inserts;  // by topic
  for (const PlanNode& node : plan.nodes) {
    if (!std::holds_alternative<OutputNode>(node.op)) continue;
    const std::string& topic = sink_of(plan, node.id).topic;
    auto output = final_output(plan, node, {topic, inserts[topic]++});
    if (output) found.push_back(*std::move(output));
  }
  return found;
}

}  // namespace kappa::operators
