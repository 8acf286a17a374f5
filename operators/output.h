#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "operators/operator.h"

namespace kappa::operators {

// INSERT INTO an output topic: every row leaves as a JSON object. Stateless.
//
// If the topic's table has a primary key, that is the record's key: the bytes of a single text
// column, else a JSON object of the key columns, in the key's order. A single column that is NULL
// makes no key, nor does a table without a primary key.
class Output final : public Operator {
 public:
  Output(const Plan& plan, NodeId node);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  std::optional<std::string> key_at(std::span<const ColumnRef> key, size_t row) const;

  NodeId node_;
  std::vector<std::string> names_;      // the topic's columns
  std::vector<int> key_;                // those of the primary key
  std::vector<std::string> key_names_;  // and their names
};

}  // namespace kappa::operators
