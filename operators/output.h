#pragma once

#include <memory>

#include "operators/operator.h"
#include "operators/record_key.h"
#include "schemas/encoder.h"

namespace kappa::operators {

// INSERT INTO an output topic: every row leaves as a payload of its table's format, under the key
// that RecordKey makes. A row that has no payload (a value that its Protobuf field cannot hold) is
// an error of the row. Stateless.
class Output final : public Operator {
 public:
  // The encoder is one of the output topic's table.
  Output(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  NodeId node_;
  SqlPosition position_;  // of the INSERT
  std::unique_ptr<schemas::RowEncoder> encoder_;
  RecordKey key_;
};

}  // namespace kappa::operators
