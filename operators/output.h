#pragma once

#include <string>
#include <vector>

#include "operators/operator.h"

namespace kappa::operators {

// INSERT INTO an output topic: every row leaves as a JSON object. Stateless.
class Output final : public Operator {
 public:
  Output(const Plan& plan, NodeId node);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  NodeId node_;
  std::vector<std::string> names_;  // the topic's columns
};

}  // namespace kappa::operators
