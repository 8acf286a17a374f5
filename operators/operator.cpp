#include "operators/operator.h"

#include "engine/types/invariant.h"

namespace kappa::operators {

void JoinOperator::process(const Batch& /*input*/, const OperatorContext& /*context*/,
                           std::vector<Batch>* /*out*/) {
  KAPPA_INVARIANT(false, "a join takes two inputs");
}

uint64_t operator_id(const Plan& plan, NodeId node) {
  uint64_t id = plan.node(node).fingerprint;
  for (const PlanNode& other : plan.nodes) {
    if (other.id >= node) break;
    if (other.fingerprint == plan.node(node).fingerprint) ++id;
  }
  return id;
}

}  // namespace kappa::operators
