#include "operators/grouped_rows.h"

#include "operators/aggregate.h"
#include "operators/session.h"

namespace kappa::operators {
namespace {

bool has_sessions(const PlanNode& node) {
  const auto& window = std::get<AggregateNode>(node.op).window;
  return window && window->kind == GroupWindow::Kind::kSession;
}

}  // namespace

std::unique_ptr<GroupedRows> make_grouped_rows(const Plan& plan, NodeId node, bool emits) {
  if (has_sessions(plan.node(node))) return std::make_unique<Session>(plan, node, emits);
  return std::make_unique<Aggregate>(plan, node, emits);
}

bool needs_order(const Plan& plan, const PlanNode& node, bool emits) {
  return has_sessions(node) || Aggregate::needs_order(node, plan, emits);
}

}  // namespace kappa::operators
