#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/runtime/epoch.h"
#include "engine/runtime/order_reader.h"
#include "engine/runtime/source_step.h"
#include "engine/runtime/watermarks.h"
#include "engine/runtime/worker_pool.h"
#include "operators/aggregate.h"
#include "operators/operator.h"
#include "operators/plan.h"
#include "operators/view_table.h"

namespace kappa::runtime {

// A plan set up for a number of workers: an instance of every operator on each, and the way of the
// batches between them.
//
//   decode (workers) ─► watermarks (coordinator) ─► stage 0 ─► exchange ─► stage 1 ─► exchange ─► …
//
// A stage is as far as rows go without changing the worker; within it each worker runs its
// operators from upstream to downstream on its own. Between stages all wait for each other. With
// one worker nothing is exchanged and there is one stage.
class Dataflow {
 public:
  // Plan and reader outlive this. `on_output` takes the rows of outputs; null: they become side
  // rows.
  static absl::StatusOr<std::unique_ptr<Dataflow>> create(
      const operators::Plan& plan, const schemas::ProductFiles& files, uint32_t workers,
      std::function<void(operators::NodeId, const Batch&)> on_output);

  // The topics it reads, sorted; EpochRecords of topic t are those of topics()[t].
  const std::vector<std::string>& topics() const { return topics_; }

  // Applies an epoch. What left the way is then in side(), in an order that does not depend on the
  // workers. The arena's strings live until the next call.
  void run(const Epoch& epoch, const OrderReader& reader, Watermarks& watermarks, WorkerPool& pool);
  const std::vector<operators::SideRow>& side() const { return side_; }

  // Which worker holds a key of a table: the one to which the exchange sends the rows behind it.
  uint32_t worker_of_key(state::TableId table, const Row& key) const;
  // All tables of a worker. Between epochs.
  std::vector<state::Table*> tables(uint32_t worker) const;
  std::vector<state::Table*> tables_of(operators::NodeId node, uint32_t worker) const;
  // Whether a row of the node's table is part of the state: not one that retention has ended for
  // and that is merely still there.
  bool kept(operators::NodeId node, uint32_t worker, const std::byte* row,
            const Watermarks& watermarks) const;
  // The operator that keeps a view's rows, per worker: one of the two is there.
  struct ViewPart {
    const operators::Aggregate* aggregate = nullptr;
    const operators::ViewTable* table = nullptr;
  };
  ViewPart view_part(operators::NodeId view, uint32_t worker) const;
  // After tables were loaded.
  void restored(const Watermarks& watermarks);
  // Bounded work between epochs: forgets rows that retention has ended for.
  void remove_expired(const Watermarks& watermarks);
  uint32_t workers() const { return workers_; }

 private:
  struct Instance {
    std::unique_ptr<operators::Operator> op;  // null: source, union, view of an aggregate's table
    std::vector<Batch> out;                   // of the present epoch
  };
  struct Worker {
    std::vector<Instance> nodes;                        // by node
    std::vector<std::unique_ptr<SourceStep>> sources;   // by source; null if not read
    std::vector<std::vector<std::vector<Batch>>> sent;  // [node][receiver] batches for its input
    std::vector<operators::SideRow> side;
    Arena arena;
  };

  explicit Dataflow(const operators::Plan& plan, uint32_t workers);
  void plan_stages();
  bool emits(operators::NodeId node) const;
  // Columns that say which worker holds a node's rows, if the key does.
  std::vector<int> partitioning(operators::NodeId node) const;
  std::vector<int> key_of(operators::NodeId node) const;
  absl::Status make_operators(const schemas::ProductFiles& files);
  std::unique_ptr<operators::Operator> make_operator(const operators::PlanNode& node);
  bool reads_aggregate(const operators::PlanNode& view) const;

  void decode(uint32_t worker, const Epoch& epoch, Watermarks& watermarks);
  void run_stage(uint32_t worker, uint32_t stage, const OrderReader& reader, const Epoch& epoch,
                 const Watermarks& watermarks);
  void run_node(Worker& worker, uint32_t index, operators::NodeId node,
                const operators::OperatorContext& context);
  void pass_on(Worker& worker, operators::NodeId node);
  void collect_side();

  const operators::Plan& plan_;
  uint32_t workers_;
  std::function<void(operators::NodeId, const Batch&)> on_output_;
  std::vector<std::string> topics_;
  std::vector<size_t> topic_of_source_;
  std::vector<std::vector<operators::NodeId>> users_;  // by node
  std::vector<uint32_t> stage_;                        // by node
  std::vector<bool> exchanged_;                        // by node: its input comes by key
  uint32_t stages_ = 1;
  // An aggregate's rows travel by their group; window and distinct value come after it in the keys
  // of its tables. By operator id.
  std::map<uint64_t, size_t> group_columns_;
  std::vector<Worker> parts_;
  std::vector<operators::SideRow> side_;
};

}  // namespace kappa::runtime
