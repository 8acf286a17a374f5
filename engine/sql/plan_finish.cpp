#include <map>
#include <set>

#include "engine/sql/expression_tree.h"
#include "engine/sql/plan_builder.h"
#include "engine/types/invariant.h"

namespace kappa::sql {

using namespace operators;  // NOLINT: this file is about plan nodes

namespace {

// Only projections read a source, so what they use is what it must decode, besides the event time,
// which moves the watermark.
std::set<int> used_columns(const Plan& plan, NodeId source) {
  std::set<int> used;
  if (plan.node(source).event_time) used.insert(*plan.node(source).event_time);
  for (const PlanNode& node : plan.nodes) {
    if (node.inputs.empty() || node.inputs[0] != source) continue;
    const auto* project = std::get_if<ProjectNode>(&node.op);
    KAPPA_INVARIANT(project != nullptr, "only projections read a source");
    for (const ExprRef& expr : project->exprs) collect_columns(*expr, &used);
  }
  return used;
}

void prune_source(Plan* plan, PlanNode& source) {
  const std::set<int> used = used_columns(*plan, source.id);
  std::map<int, int> moved;
  Schema schema;
  for (int column : used) {
    moved[column] = static_cast<int>(schema.size());
    schema.push_back(source.schema[static_cast<size_t>(column)]);
  }
  source.schema = std::move(schema);
  if (source.event_time) source.event_time = moved.at(*source.event_time);
  std::get<SourceNode>(source.op).wanted.assign(used.begin(), used.end());
  for (PlanNode& node : plan->nodes) {
    if (node.inputs.empty() || node.inputs[0] != source.id) continue;
    for (ExprRef& expr : std::get<ProjectNode>(node.op).exprs) {
      expr = move_columns(expr, [&](int column) { return moved.at(column); });
    }
  }
}

bool changes_nothing(const Plan& plan, const PlanNode& node) {
  const auto* project = std::get_if<ProjectNode>(&node.op);
  if (!project || project->exprs.size() != plan.node(node.inputs[0]).schema.size()) return false;
  for (size_t i = 0; i < project->exprs.size(); ++i) {
    const ExprRef& expr = project->exprs[i];
    if (!is_column(expr) || expr->column != static_cast<int>(i)) return false;
  }
  return true;
}

bool is_stateless(const PlanNode& node) {
  return std::holds_alternative<FilterNode>(node.op) ||
         std::holds_alternative<ProjectNode>(node.op) || std::holds_alternative<UnionNode>(node.op);
}

// Copies the nodes that stay into a new array, in order, and gives their inputs the new ids.
class Compactor {
 public:
  explicit Compactor(Plan* plan) : plan_(plan) {}

  void run() {
    for (const PlanNode& node : plan_->nodes) ids_.push_back(place(node));
    plan_->nodes = std::move(nodes_);
  }

 private:
  NodeId place(const PlanNode& node) {
    if (changes_nothing(*plan_, node)) return ids_[node.inputs[0]];
    if (is_stateless(node)) {
      const auto [shared, fresh] = stateless_.try_emplace(node.fingerprint, next_id());
      if (!fresh) return shared->second;
    }
    PlanNode copy = node;
    for (NodeId& input : copy.inputs) input = ids_[input];
    if (std::holds_alternative<UnionNode>(copy.op)) {
      const NodeId id = append_union(std::move(copy));
      stateless_[node.fingerprint] = id;
      return id;
    }
    return append(std::move(copy));
  }

  // A branch that occurs twice comes through a projection of its own, so that each edge of the plan
  // is there once.
  NodeId append_union(PlanNode node) {
    std::set<NodeId> seen;
    for (NodeId& input : node.inputs) {
      if (seen.insert(input).second) continue;
      PlanNode again = nodes_[input];
      std::vector<ExprRef> exprs;
      for (const Field& field : again.schema) {
        exprs.push_back(column_expr(static_cast<int>(exprs.size()), field.type));
      }
      again.op = ProjectNode{std::move(exprs)};
      again.inputs = {input};
      input = append(std::move(again));
      seen.insert(input);
    }
    return append(std::move(node));
  }

  NodeId next_id() const { return static_cast<NodeId>(nodes_.size()); }
  NodeId append(PlanNode node) {
    node.id = next_id();
    nodes_.push_back(std::move(node));
    return nodes_.back().id;
  }

  Plan* plan_;
  std::vector<PlanNode> nodes_;
  std::vector<NodeId> ids_;
  std::map<uint64_t, NodeId> stateless_;  // by fingerprint
};

std::set<int> sinks_of(const Plan& plan) {
  std::set<int> sinks;
  for (const PlanNode& node : plan.nodes) {
    if (const auto* output = std::get_if<OutputNode>(&node.op)) sinks.insert(output->sink);
  }
  return sinks;
}

// Tables of WITH that nothing reads, and projections that were put together with those above them;
// the rows of a table of mode 'upsert' that is written to, unless it is read as well.
void drop_unread(Plan* plan) {
  std::vector<bool> read(plan->nodes.size(), false);
  const std::set<int> sinks = sinks_of(*plan);
  for (size_t n = plan->nodes.size(); n-- > 0;) {
    const PlanNode& node = plan->nodes[n];
    const auto* view = std::get_if<ViewNode>(&node.op);
    const bool asked_for = view ? !view->of_source || !sinks.contains(*view->of_source)
                                : std::holds_alternative<OutputNode>(node.op);
    read[n] = read[n] || asked_for;
    if (!read[n]) continue;
    for (NodeId input : node.inputs) read[input] = true;
  }
  std::vector<PlanNode> nodes;
  std::vector<NodeId> ids(plan->nodes.size(), kNoNode);
  for (PlanNode& node : plan->nodes) {
    if (!read[node.id]) continue;
    ids[node.id] = static_cast<NodeId>(nodes.size());
    node.id = ids[node.id];
    for (NodeId& input : node.inputs) input = ids[input];
    nodes.push_back(std::move(node));
  }
  plan->nodes = std::move(nodes);
}

}  // namespace

void finish_plan(Plan* plan) {
  drop_unread(plan);
  for (PlanNode& node : plan->nodes) node.fingerprint = node_fingerprint(*plan, node);
  for (PlanNode& node : plan->nodes) {
    if (std::holds_alternative<SourceNode>(node.op)) prune_source(plan, node);
  }
  Compactor(plan).run();
}

}  // namespace kappa::sql
