#pragma once

#include "operators/evaluator.h"
#include "operators/operator.h"

namespace kappa::operators {

// WHERE: passes on the rows for which the predicate is true. Stateless.
class Filter final : public Operator {
 public:
  Filter(const Plan& plan, NodeId node);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  NodeId node_;
  Evaluator predicate_;
};

}  // namespace kappa::operators
