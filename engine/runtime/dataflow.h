#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/dataflow_shape.h"
#include "engine/runtime/front.h"
#include "engine/runtime/order_reader.h"
#include "engine/runtime/watermarks.h"
#include "operators/final_output.h"
#include "operators/grouped_rows.h"
#include "operators/operator.h"
#include "operators/plan.h"
#include "operators/view_table.h"

namespace kappa::runtime {

// A plan set up for a number of workers: an instance of every operator on each, and the way of the
// batches between them.
//
//   prepare() each chunk ─► begin() ─► run_stage() 1 ─► … ─► run_stage() n ─► end()
//      any worker          coordinator   all workers, exchange in between     coordinator
//
// A turn may be prepared while the one before it is in its stages. Within a stage each worker runs
// its operators from upstream to downstream on its own.
class Dataflow {
 public:
  // Plan and reader outlive this. `on_output` takes the rows of outputs; null: they become side
  // rows.
  static absl::StatusOr<std::unique_ptr<Dataflow>> create(
      const operators::Plan& plan, const schemas::ProductFiles& files, uint32_t workers,
      std::function<void(operators::NodeId, const Batch&)> on_output);

  const DataflowShape& shape() const { return shape_; }
  uint32_t workers() const { return static_cast<uint32_t>(parts_.size()); }

  // ---- a turn ----------------------------------------------------------------------------------

  // A turn of this dataflow, over and over again.
  Turn make_turn() const;
  // Each worker, before any chunk of the turn is prepared by it.
  void begin_prepare(uint32_t worker, Turn& turn);
  // Takes a chunk through the front, as `worker`. Watermarks::begin() was called for the epoch, and
  // the turn's flow has a place for each chunk.
  void prepare(uint32_t worker, Turn& turn, size_t chunk, const OrderReader& reader,
               Watermarks& watermarks);
  // Computes the watermarks of the turn, all of whose chunks are prepared.
  void begin(const Turn& turn, Watermarks& watermarks);
  void run_stage(uint32_t worker, uint32_t stage, const Turn& turn, const OrderReader& reader,
                 const Watermarks& watermarks);
  // What left the way, in an order that does not depend on the workers.
  std::vector<operators::SideRow> end(Turn& turn);

  // ---- between turns ---------------------------------------------------------------------------

  // As DataflowShape::set_resting().
  void set_resting(std::vector<bool> nodes) { shape_.set_resting(std::move(nodes)); }
  // From which event time on an output's rows are wanted as records (operators/output.h); all,
  // until it is said.
  void want(operators::NodeId output, int64_t from_us) { wanted_from_us_[output] = from_us; }
  // Which worker holds a key of a table: the one to which the exchange sends the rows behind it.
  uint32_t worker_of_key(state::TableId table, const Row& key) const;
  // The operators of a worker that have event logs.
  std::vector<operators::Operator*> with_events(uint32_t worker) const;
  // The one of a node; null if it has none.
  operators::Operator* with_events(operators::NodeId node, uint32_t worker) const;
  // All tables of a worker.
  std::vector<state::Table*> tables(uint32_t worker) const;
  std::vector<state::Table*> tables_of(operators::NodeId node, uint32_t worker) const;
  // Whether a row of the node's table is part of the state: not one that retention has ended for
  // and that is merely still there.
  bool kept(operators::NodeId node, uint32_t worker, const std::byte* row,
            const Watermarks& watermarks) const;
  // The operator that keeps a view's rows, per worker: one of the two is there.
  struct ViewPart {
    const operators::GroupedRows* grouped = nullptr;
    const operators::ViewTable* table = nullptr;
  };
  ViewPart view_part(operators::NodeId view, uint32_t worker) const;
  // The operator of an aggregate.
  const operators::GroupedRows& grouped(operators::NodeId node, uint32_t worker) const;
  // After tables were loaded: of all nodes, or of those only that rest.
  void restored(const Watermarks& watermarks, bool resting_only);
  // Bounded work: forgets rows that retention has ended for.
  void remove_expired(const Watermarks& watermarks);

 private:
  struct Instance {
    // Null: union, arrange, view of an aggregate's table.
    std::unique_ptr<operators::Operator> op;
    operators::JoinOperator* join = nullptr;  // the same, if it is one
    std::vector<Batch> out;                   // of the present turn
  };
  struct Worker {
    std::unique_ptr<Front> front;
    std::vector<Instance> nodes;  // by node; those of the back
    Sent sent;                    // by them
    Dealer dealer;
    std::vector<operators::SideRow> side;
    Arena arena;
  };

  Dataflow(const operators::Plan& plan, uint32_t workers);
  absl::Status make_operators(const schemas::ProductFiles& files);
  std::unique_ptr<operators::Operator> make_frames(const operators::PlanNode& node) const;
  absl::StatusOr<std::unique_ptr<operators::Operator>> make_output(
      operators::NodeId node, const schemas::ProductFiles& files);
  absl::StatusOr<std::unique_ptr<operators::Operator>> make_operator(
      const operators::PlanNode& node, const schemas::ProductFiles& files);

  Sent make_sent() const;
  std::vector<const Batch*> output_of(uint32_t worker, operators::NodeId node,
                                      const Turn& turn) const;
  std::vector<const Batch*> input_of(uint32_t worker, operators::NodeId node,
                                     const Turn& turn) const;
  void run_union(uint32_t worker, operators::NodeId node, const Turn& turn);
  void run_join(uint32_t worker, operators::NodeId node, const Turn& turn,
                const operators::OperatorContext& context);
  void run_node(uint32_t worker, operators::NodeId node, const Turn& turn,
                const operators::OperatorContext& context);
  void deal_out(Worker& worker, operators::NodeId node);

  const operators::Plan& plan_;
  DataflowShape shape_;
  std::function<void(operators::NodeId, const Batch&)> on_output_;
  // An aggregate's rows travel by their group, those of OVER by their partition, a join's by what
  // it equates; what comes after it in the keys of their tables does not count. By operator id.
  std::map<uint64_t, size_t> group_columns_;
  std::vector<int64_t> wanted_from_us_;  // by node
  std::vector<Worker> parts_;
};

}  // namespace kappa::runtime
