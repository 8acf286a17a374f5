#include "test/runtime/timer_order.h"

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/timers.h"

namespace kappa::runtime {
namespace {

// How a window or a join that the watermark sets off looks; empty: the node is none.
std::string shape_of(const operators::PlanNode& node) {
  if (const auto* op = std::get_if<operators::AggregateNode>(&node.op); op && op->window) {
    return absl::StrCat("window ", op->groups.size(), " ", static_cast<int>(op->window->kind), " ",
                        op->window->size_us, " ", op->window->grace_us, " ",
                        op->emit == operators::Emit::kFinal);
  }
  if (const auto* op = std::get_if<operators::IntervalJoinNode>(&node.op)) {
    return absl::StrCat("join ", op->outer, " ", op->from_us, " ", op->to_us);
  }
  return std::holds_alternative<operators::ReorderNode>(node.op) ? "reorder" : "";
}

std::string shape_of(const model::Node& node) {
  if (const auto* op = std::get_if<model::AggregateNode>(&node.op); op && op->window) {
    return absl::StrCat("window ", op->groups.size(), " ", static_cast<int>(op->window->kind), " ",
                        op->window->size_us, " ", op->window->grace_us, " ", op->final);
  }
  if (const auto* op = std::get_if<model::IntervalJoinNode>(&node.op)) {
    return absl::StrCat("join ", op->outer, " ", op->from_us, " ", op->to_us);
  }
  return std::holds_alternative<model::ReorderNode>(node.op) ? "reorder" : "";
}

}  // namespace

absl::Status take_timer_order(const operators::Plan& from, model::Plan* to) {
  std::vector<operators::NodeId> owners;
  for (const operators::PlanNode& node : from.nodes) {
    if (!shape_of(node).empty()) owners.push_back(node.id);
  }
  size_t next = 0;
  for (model::Node& node : to->nodes) {
    const std::string shape = shape_of(node);
    if (shape.empty()) continue;
    const std::string found = next < owners.size() ? shape_of(from.node(owners[next])) : "none";
    if (found != shape) {
      return absl::InternalError(
          absl::StrCat("the model's plan has \"", shape, "\", the engine's \"", found, "\""));
    }
    const auto owner = operators::TimerOwner::of(from, owners[next++]);
    node.timers = {owner.depth, owner.node};
  }
  if (next == owners.size()) return absl::OkStatus();
  return absl::InternalError("the engine's plan has more windows or joins than the model's");
}

}  // namespace kappa::runtime
