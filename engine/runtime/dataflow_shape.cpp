#include "engine/runtime/dataflow_shape.h"

#include <algorithm>

#include "operators/grouped_rows.h"

namespace kappa::runtime {

using operators::AggregateNode;
using operators::ArrangeNode;
using operators::DistinctNode;
using operators::NodeId;
using operators::PlanNode;
using operators::ProjectNode;
using operators::SlidingNode;
using operators::TopNNode;
using operators::ViewNode;

namespace {

template <typename T>
bool is(const PlanNode& node) {
  return std::holds_alternative<T>(node.op);
}

bool is_stateless(const PlanNode& node) {
  return is<operators::FilterNode>(node) || is<ProjectNode>(node) || is<operators::UnionNode>(node);
}

// The column of a projection's input that its column `column` passes on, or -1.
int passed_column(const ProjectNode& op, int column) {
  const operators::Expr& expr = *op.exprs[static_cast<size_t>(column)];
  return expr.kind == operators::ExprKind::kColumn ? expr.column : -1;
}

// Where a projection puts a column of its input, or -1.
int place_of_column(const ProjectNode& op, int column) {
  int found = -1;
  for (int c = 0; c < static_cast<int>(op.exprs.size()); ++c) {
    if (passed_column(op, c) == column) found = c;
  }
  return found;
}

// Whether rows that lie where `partitioning` says have all of one key in one place. An empty
// partitioning says nothing.
bool brings_together(const std::vector<int>& partitioning, const std::vector<int>& key) {
  return !partitioning.empty() &&
         std::all_of(partitioning.begin(), partitioning.end(), [&](int column) {
           return std::find(key.begin(), key.end(), column) != key.end();
         });
}

}  // namespace

DataflowShape::DataflowShape(const operators::Plan& plan, uint32_t workers)
    : plan_(plan), users_(plan.nodes.size()) {
  for (const PlanNode& node : plan.nodes) {
    for (NodeId input : node.inputs) users_[input].push_back(node.id);
  }
  find_topics();
  plan_stages(workers);
}

void DataflowShape::find_topics() {
  for (const PlanNode& node : plan_.nodes) {
    if (const auto* source = std::get_if<operators::SourceNode>(&node.op)) {
      topics_.push_back(plan_.sources[static_cast<size_t>(source->source)].topic);
    }
  }
  std::sort(topics_.begin(), topics_.end());
  topics_.erase(std::unique(topics_.begin(), topics_.end()), topics_.end());
  for (const schemas::Source& source : plan_.sources) {
    const auto topic = std::lower_bound(topics_.begin(), topics_.end(), source.topic);
    topic_of_source_.push_back(static_cast<size_t>(topic - topics_.begin()));
  }
}

bool DataflowShape::reads_aggregate(const PlanNode& view) const {
  const auto& op = std::get<ViewNode>(view.op);
  if (op.conflict != ViewNode::Conflict::kGrouped || op.by_record) return false;
  const PlanNode* input = &plan_.node(view.inputs[0]);
  if (const auto* project = std::get_if<ProjectNode>(&input->op)) {
    for (int c = 0; c < static_cast<int>(project->exprs.size()); ++c) {
      if (passed_column(*project, c) < 0) return false;
    }
    input = &plan_.node(input->inputs[0]);
  }
  return is<AggregateNode>(*input);
}

bool DataflowShape::emits(NodeId id) const {
  return std::any_of(users_[id].begin(), users_[id].end(), [&](NodeId user) {
    const PlanNode& node = plan_.node(user);
    if (is<ViewNode>(node) && reads_aggregate(node)) return !users_[user].empty();
    if (is<ProjectNode>(node)) return emits(user);
    return true;
  });
}

bool DataflowShape::any_order(NodeId id) const {
  const PlanNode& node = plan_.node(id);
  if (is<operators::FilterNode>(node) || is<ProjectNode>(node)) return true;
  return is<AggregateNode>(node) && !operators::needs_order(plan_, node, emits(id));
}

std::vector<int> DataflowShape::key_of(NodeId id) const {
  const PlanNode& node = plan_.node(id);
  if (const auto* aggregate = std::get_if<AggregateNode>(&node.op)) return aggregate->groups;
  if (const auto* sliding = std::get_if<SlidingNode>(&node.op)) return sliding->partition;
  if (const auto* distinct = std::get_if<DistinctNode>(&node.op)) return distinct->key;
  if (const auto* top = std::get_if<TopNNode>(&node.op)) return top->key;
  if (const auto* arrange = std::get_if<ArrangeNode>(&node.op)) return arrange->key;
  if (is<operators::ReorderNode>(node)) return {};
  if (is<operators::OutputNode>(node)) return operators::sink_of(plan_, id).primary_key;
  return std::get<ViewNode>(node.op).key;
}

std::vector<int> DataflowShape::partitioning(NodeId id) const {
  const PlanNode& node = plan_.node(id);
  if (const auto* aggregate = std::get_if<AggregateNode>(&node.op)) {
    std::vector<int> columns(aggregate->groups.size());
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
    return columns;
  }
  if (const auto* view = std::get_if<ViewNode>(&node.op)) {
    if (reads_aggregate(node)) return partitioning(node.inputs[0]);
    return view->by_record ? std::vector<int>{} : view->key;
  }
  if (const auto* distinct = std::get_if<DistinctNode>(&node.op)) return distinct->key;
  if (const auto* arrange = std::get_if<ArrangeNode>(&node.op)) return arrange->key;
  if (const auto* key = operators::join_key(node)) return key->left;
  // Their first columns are their input's.
  if (const auto* top = std::get_if<TopNNode>(&node.op)) return top->key;
  if (const auto* sliding = std::get_if<SlidingNode>(&node.op)) return sliding->partition;
  if (is<operators::FilterNode>(node)) return partitioning(node.inputs[0]);
  const auto* project = std::get_if<ProjectNode>(&node.op);
  if (!project) return {};
  std::vector<int> columns;
  for (int inner : partitioning(node.inputs[0])) {
    const int column = place_of_column(*project, inner);
    if (column < 0) return {};
    columns.push_back(column);
  }
  return columns;
}

bool DataflowShape::is_upsert(const PlanNode& node) const {
  return is<operators::OutputNode>(node) && operators::sink_of(plan_, node.id).upsert;
}

// Whether rows of one record may be on several workers: a union or a join made several of it, and
// an exchange parted them.
bool DataflowShape::parted(NodeId id) const {
  bool united = false;
  bool exchanged = false;
  std::vector<NodeId> open = plan_.node(id).inputs;
  while (!open.empty()) {
    const NodeId below = open.back();
    open.pop_back();
    const std::vector<NodeId>& inputs = plan_.node(below).inputs;
    exchanged |= exchanged_[below];
    const bool lookup = operators::looks_up(plan_.node(below));
    united |= inputs.size() > 1 && !lookup;
    open.insert(open.end(), inputs.begin(), lookup ? inputs.begin() + 1 : inputs.end());
  }
  return united && exchanged;
}

void DataflowShape::plan_stages(uint32_t workers) {
  stage_.assign(plan_.nodes.size(), 0);
  exchanged_.assign(plan_.nodes.size(), false);
  for (const PlanNode& node : plan_.nodes) {
    if (is<operators::SourceNode>(node)) continue;
    uint32_t stage = 0;
    for (NodeId input : node.inputs) stage = std::max(stage, stage_[input]);
    if (stage == 0 && is_stateless(node)) continue;
    const bool keyed =
        is<AggregateNode>(node) || is<DistinctNode>(node) || is<TopNNode>(node) ||
        is<SlidingNode>(node) || is<ArrangeNode>(node) ||
        (is<ViewNode>(node) && !std::get<ViewNode>(node.op).by_record && !reads_aggregate(node));
    if (workers > 1 && is_upsert(node)) {
      exchanged_[node.id] = !brings_together(partitioning(node.inputs[0]), key_of(node.id));
    }
    if (workers > 1 && keyed) {
      // An empty partitioning says nothing, even if the key is empty too.
      const std::vector<int> present = partitioning(node.inputs[0]);
      exchanged_[node.id] = present.empty() || present != key_of(node.id);
    }
    // Rows by record are numbered where they are: those of one record must come together.
    const bool by_record = is<operators::ReorderNode>(node) ||
                           (is<ViewNode>(node) && std::get<ViewNode>(node.op).by_record);
    if (workers > 1 && by_record && parted(node.id)) exchanged_[node.id] = true;
    // What the front hands over is in stage 1, exchanged or not.
    stage_[node.id] = stage == 0 || exchanged_[node.id] ? stage + 1 : stage;
    stages_ = std::max(stages_, stage_[node.id]);
  }
}

}  // namespace kappa::runtime
