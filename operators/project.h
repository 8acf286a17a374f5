#pragma once

#include <vector>

#include "operators/evaluator.h"
#include "operators/operator.h"

namespace kappa::operators {

// SELECT's expressions: one column each. A row for which one of them fails goes no further.
// Stateless.
class Project final : public Operator {
 public:
  Project(const Plan& plan, NodeId node);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  NodeId node_;
  std::vector<Evaluator> exprs_;
};

}  // namespace kappa::operators
