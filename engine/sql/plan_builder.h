#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operators/plan.h"

namespace kappa::sql {

struct Relation;

// Adds nodes to a plan. A source is read by one node with all its columns, and only Project nodes
// stand directly above it, so that finish_plan() can tell which columns are used.
class PlanBuilder {
 public:
  PlanBuilder(operators::Plan* plan) : plan_(plan) {}

  operators::Plan& plan() { return *plan_; }
  const operators::PlanNode& node(operators::NodeId id) const { return plan_->nodes[id]; }

  operators::NodeId read(int source);
  // The rows of a relation: its node, or that which reads its source.
  operators::NodeId read(const Relation& relation);
  // Over the projection that was added just before, the two become one, but for one that is kept.
  // `event_time`: the expression that computes it, if it is no column that already is.
  operators::NodeId project(operators::NodeId input, std::vector<operators::ExprRef> exprs,
                            std::optional<int> event_time = std::nullopt);
  operators::NodeId filter(operators::NodeId input, operators::ExprRef predicate);
  operators::NodeId union_all(std::vector<operators::NodeId> inputs);
  operators::NodeId aggregate(operators::NodeId input, operators::AggregateNode op);
  operators::NodeId distinct(operators::NodeId input, operators::DistinctNode op);
  operators::NodeId top_n(operators::NodeId input, operators::TopNNode op);
  operators::NodeId reorder(operators::NodeId input, operators::ReorderNode op);
  operators::NodeId sliding(operators::NodeId input, operators::SlidingNode op);
  // Both inputs come arranged by their side of the key. The rows' event time is the left side's.
  operators::NodeId lookup(operators::NodeId left, operators::NodeId right,
                           operators::LookupNode op);
  // As lookup(). The rows' columns are called `names`, as the rules call them.
  operators::NodeId rules(operators::NodeId rows, operators::NodeId rules, operators::RulesNode op,
                          const std::vector<std::string>& names);
  // Of either, and of none of the two, are the joined rows' event times.
  operators::NodeId interval_join(operators::NodeId left, operators::NodeId right,
                                  operators::IntervalJoinNode op);
  operators::NodeId relation_join(operators::NodeId left, operators::NodeId right,
                                  operators::RelationJoinNode op);
  operators::NodeId view(operators::NodeId input, operators::ViewNode op,
                         const std::vector<std::string>& names);
  operators::NodeId output(operators::NodeId input, operators::OutputNode op);

  // From now on nodes are put over `id` and those before it, which more than one node may read.
  void keep(operators::NodeId id) { kept_ = id + 1; }

  // The sources whose records reach a node.
  std::vector<int> sources_of(operators::NodeId id) const;

 private:
  operators::NodeId add(operators::PlanNode node);
  operators::NodeId arrange(operators::NodeId input, std::vector<int> key);
  // A join's node, but for its operator.
  operators::PlanNode join(operators::NodeId left, operators::NodeId right,
                           const operators::JoinKey& key);

  operators::Plan* plan_;
  operators::NodeId kept_ = 0;  // nodes below are kept
};

// Makes a plan of built nodes what the runtime takes: drops nodes that no view and no output reads,
// fingerprints the others, lets sources decode only what is used, drops projections that change
// nothing and shares equal stateless nodes.
//
// Fingerprints are taken first, over sources with all their columns: what one view reads then never
// changes the fingerprint of another.
void finish_plan(operators::Plan* plan);

}  // namespace kappa::sql
