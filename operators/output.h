#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "operators/operator.h"
#include "schemas/encoder.h"

namespace kappa::operators {

// INSERT INTO an output topic: every row leaves as a payload of its table's format. A row that has
// none (a value that its Protobuf field cannot hold) is an error of the row. Stateless.
//
// If the topic's table has a primary key, that is the record's key: the bytes of a single text
// column, else a JSON object of the key columns, in the key's order. A single column that is NULL
// makes no key, nor does a table without a primary key.
class Output final : public Operator {
 public:
  // The encoder is one of the output topic's table.
  Output(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  std::optional<std::string> key_at(std::span<const ColumnRef> key, size_t row) const;

  NodeId node_;
  SqlPosition position_;  // of the INSERT
  std::unique_ptr<schemas::RowEncoder> encoder_;
  std::vector<int> key_;                // those of the primary key
  std::vector<std::string> key_names_;  // and their names
};

}  // namespace kappa::operators
