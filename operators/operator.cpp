#include "operators/operator.h"

namespace kappa::operators {

uint64_t operator_id(const Plan& plan, NodeId node) {
  uint64_t id = plan.node(node).fingerprint;
  for (const PlanNode& other : plan.nodes) {
    if (other.id >= node) break;
    if (other.fingerprint == plan.node(node).fingerprint) ++id;
  }
  return id;
}

}  // namespace kappa::operators
