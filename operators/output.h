#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "operators/final_output.h"
#include "operators/operator.h"
#include "operators/record_key.h"
#include "schemas/encoder.h"

namespace kappa::operators {

// From which event time on an output's rows are wanted as records. The rows of one that is not
// final have none: all of them are wanted, or none.
inline constexpr int64_t kAllWanted = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kNoneWanted = std::numeric_limits<int64_t>::max();

// INSERT INTO an output topic: every row leaves as a payload of its table's format, under the key
// that RecordKey makes. A row that has no payload (a value that its Protobuf field cannot hold) is
// an error of the row. Rows that are not wanted as records are counted all the same, by what their
// columns hold. Stateless.
class Output final : public Operator {
 public:
  // The encoder is one of the output topic's table. `wanted_from_us` is read in process(), and
  // outlives this. `final`: of this node, if its output is one.
  Output(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder,
         const int64_t* wanted_from_us, std::optional<FinalOutput> final);
  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;

 private:
  std::optional<int64_t> event_time(const Batch& input, size_t row) const;
  // One for all rows of a batch that are only counted.
  SideRow count(const Batch& input, const std::vector<uint64_t>& contents) const;
  void encode(const Batch& input, size_t row, SideRow* side) const;

  NodeId node_;
  SqlPosition position_;  // of the INSERT
  std::unique_ptr<schemas::RowEncoder> encoder_;
  RecordKey key_;
  const int64_t* wanted_from_us_;
  std::optional<FinalOutput> final_;
};

}  // namespace kappa::operators
