#pragma once

#include <memory>
#include <vector>

#include "operators/operator.h"

namespace kappa::operators {

// DISTINCT, DISTINCT ON: passes on the first row of each key in the order, and none after it. On
// one worker, it remembers the keys that fall to it, for ever.
//
// State: a row a key, without values.
class Distinct final : public Operator {
 public:
  Distinct(const Plan& plan, NodeId node);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  std::vector<state::Table*> tables() override { return {table_.get()}; }

 private:
  const DistinctNode& op_;
  std::unique_ptr<state::Table> table_;
  // Scratch of process().
  std::vector<uint64_t> hashes_;
  std::vector<state::RowId> ids_;
  std::vector<uint32_t> first_;
};

}  // namespace kappa::operators
