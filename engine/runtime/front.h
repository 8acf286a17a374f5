#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/dataflow_shape.h"
#include "engine/runtime/epoch.h"
#include "engine/runtime/exchange.h"
#include "engine/runtime/order_reader.h"
#include "engine/runtime/source_step.h"
#include "engine/runtime/watermarks.h"
#include "operators/operator.h"
#include "operators/plan.h"

namespace kappa::runtime {

// What the front has made of one chunk of an epoch.
struct ChunkFlow {
  std::vector<std::vector<Batch>> out;  // by node of the front: what it gives out
  std::vector<operators::SideRow> side;
  Arena arena;  // of what was computed on the way
};

// [node][receiver]: what one worker sends to each by the node's key.
using Sent = std::vector<std::vector<SentRows>>;

// An epoch and what the front has made of it, chunk by chunk: all that its turn needs.
struct Turn {
  Epoch epoch;
  std::vector<ChunkFlow> flow;
  std::vector<Sent> sent;  // by worker: what it deals out of the chunks that it takes

  size_t size() const { return epoch.size(); }
};

// The front of a dataflow on one worker: decoders, and operators that keep nothing.
class Front {
 public:
  // That of `worker`. Plan and shape outlive this.
  static absl::StatusOr<std::unique_ptr<Front>> create(const operators::Plan& plan,
                                                       const DataflowShape& shape,
                                                       const schemas::ProductFiles& files,
                                                       uint32_t worker);

  // Before the first chunk of a turn: forgets what was sent when it was used before.
  void begin(Turn& turn);
  // Takes a chunk of the turn's epoch to the front's end, and shows its event times to the
  // watermarks. Workers at the same time, each with a front of its own and other chunks.
  void run(Turn& turn, size_t chunk, const OrderReader& reader, Watermarks& watermarks);

 private:
  Front(const operators::Plan& plan, const DataflowShape& shape, uint32_t worker);
  void decode(const Epoch& epoch, size_t chunk, const OrderReader& reader, Watermarks& watermarks,
              ChunkFlow* flow);
  void run_node(const operators::PlanNode& node, const operators::OperatorContext& context,
                ChunkFlow* flow);
  void deal_out(operators::NodeId node, ChunkFlow* flow, Sent* sent);

  const operators::Plan& plan_;
  const DataflowShape& shape_;
  uint32_t worker_;
  Dealer dealer_;
  std::vector<std::unique_ptr<SourceStep>> sources_;             // by source; null if not read
  std::vector<std::unique_ptr<operators::Operator>> operators_;  // by node; null if it has none
};

}  // namespace kappa::runtime
