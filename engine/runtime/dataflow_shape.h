#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "operators/plan.h"

namespace kappa::runtime {

// How a plan is run by a number of workers: which of its nodes are the front, and where rows change
// the worker.
//
//   front: sources, and the filters, projections and unions that only sources feed. They keep
//     nothing, so any worker may take any chunk of an epoch through them, before its turn too.
//   back: everybody else, in stages. A stage is as far as rows go without changing the worker; a
//     node whose input comes from workers that do not own its keys is reached by an exchange.
class DataflowShape {
 public:
  DataflowShape(const operators::Plan& plan, uint32_t workers);  // plan outlives this

  const std::vector<operators::NodeId>& users(operators::NodeId node) const { return users_[node]; }
  bool front(operators::NodeId node) const { return stage_[node] == 0; }
  // Of a node of the back: 1 to stages().
  uint32_t stage(operators::NodeId node) const { return stage_[node]; }
  uint32_t stages() const { return stages_; }
  // Whether rows come to the node's worker by its key: that of key_of(). None: all to the first.
  bool exchanged(operators::NodeId node) const { return exchanged_[node]; }
  std::vector<int> key_of(operators::NodeId node) const;

  // Whether a view has no rows of its own but shows those of the aggregate that feeds it.
  bool reads_aggregate(const operators::PlanNode& view) const;
  // Whether a node of the back takes its batches one by one, in whatever order: what comes of them
  // is the same.
  bool any_order(operators::NodeId node) const;
  // Whether somebody takes the rows that a node gives out.
  bool emits(operators::NodeId node) const;

  // Nodes that rest take no rows and fire no timers. Whoever reads one that rests rests as well. By
  // node; none of them: empty.
  void set_resting(std::vector<bool> nodes) { resting_ = std::move(nodes); }
  bool rests(operators::NodeId node) const { return !resting_.empty() && resting_[node]; }

  // The topics it reads, sorted, and which of them is a source's.
  const std::vector<std::string>& topics() const { return topics_; }
  size_t topic_of_source(int source) const { return topic_of_source_[static_cast<size_t>(source)]; }

 private:
  void find_topics();
  void plan_stages(uint32_t workers);
  bool is_upsert(const operators::PlanNode& node) const;
  bool parted(operators::NodeId node) const;
  // Columns that say which worker holds a node's rows, if the key does.
  std::vector<int> partitioning(operators::NodeId node) const;

  const operators::Plan& plan_;
  std::vector<std::vector<operators::NodeId>> users_;  // by node
  std::vector<uint32_t> stage_;                        // by node; 0: the front
  std::vector<bool> exchanged_;                        // by node
  uint32_t stages_ = 1;
  std::vector<std::string> topics_;
  std::vector<size_t> topic_of_source_;
  std::vector<bool> resting_;  // by node; empty: none
};

}  // namespace kappa::runtime
