#include "engine/sql/plan_builder.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/relation.h"
#include "schemas/record_column.h"

namespace kappa::sql {

using namespace operators;  // NOLINT: this file is about plan nodes

namespace {

Schema schema_of_aggregate(const Schema& input, const AggregateNode& op) {
  Schema schema;
  for (int group : op.groups) schema.push_back(input[static_cast<size_t>(group)]);
  if (op.window) {
    schema.push_back({"window_start", Type::timestamptz()});
    schema.push_back({"window_end", Type::timestamptz()});
  }
  for (const AggregateCall& call : op.calls) {
    schema.push_back({std::string(aggregate_name(call.kind)), call.result});
  }
  return schema;
}

// Whether it is a projection; with `plain`, one that computes nothing.
bool is_projection(const PlanNode& node, bool plain) {
  const auto* project = std::get_if<ProjectNode>(&node.op);
  if (!project || !plain) return project != nullptr;
  return std::all_of(project->exprs.begin(), project->exprs.end(),
                     [](const ExprRef& expr) { return is_column(expr); });
}

}  // namespace

NodeId PlanBuilder::add(PlanNode node) {
  node.id = static_cast<NodeId>(plan_->nodes.size());
  plan_->nodes.push_back(std::move(node));
  return plan_->nodes.back().id;
}

NodeId PlanBuilder::read(int source) {
  for (const PlanNode& node : plan_->nodes) {
    const auto* reads = std::get_if<SourceNode>(&node.op);
    if (reads && reads->source == source) return node.id;
  }
  const schemas::Source& declared = plan_->sources[static_cast<size_t>(source)];
  PlanNode node;
  for (const schemas::ReadableColumn& column : schemas::readable_columns(declared)) {
    node.schema.push_back({column.name, column.type});
  }
  std::vector<int> all(node.schema.size());
  std::iota(all.begin(), all.end(), 0);
  node.op = SourceNode{source, std::move(all)};
  node.changelog = declared.upsert;
  node.event_time = declared.event_time;
  return add(std::move(node));
}

NodeId PlanBuilder::read(const Relation& relation) {
  return relation.source ? read(*relation.source) : relation.node;
}

NodeId PlanBuilder::project(NodeId input, std::vector<ExprRef> exprs,
                            std::optional<int> event_time) {
  const bool kept = input < kept_;
  if ((kept || input + 1 == plan_->nodes.size()) && is_projection(plan_->nodes[input], kept)) {
    // One that is kept goes with the nodes that nothing reads, if nothing else does.
    const PlanNode below = plan_->nodes[input];
    if (!kept) plan_->nodes.pop_back();
    for (ExprRef& expr : exprs) {
      expr = replace_columns(expr, [&](const Expr& column) {
        return std::get<ProjectNode>(below.op).exprs[static_cast<size_t>(column.column)];
      });
    }
    return project(below.inputs[0], std::move(exprs), event_time);
  }
  const PlanNode& from = plan_->nodes[input];
  PlanNode node;
  node.inputs = {input};
  node.changelog = from.changelog;
  node.event_time = event_time;
  for (const ExprRef& expr : exprs) {
    const bool plain = is_column(expr);
    if (plain && from.event_time == expr->column && !node.event_time) {
      node.event_time = static_cast<int>(node.schema.size());
    }
    node.schema.push_back({plain ? from.schema[static_cast<size_t>(expr->column)].name
                                 : absl::StrCat("column_", node.schema.size() + 1),
                           expr->type});
  }
  node.op = ProjectNode{std::move(exprs)};
  return add(std::move(node));
}

NodeId PlanBuilder::filter(NodeId input, ExprRef predicate) {
  PlanNode node = plan_->nodes[input];
  node.op = FilterNode{std::move(predicate)};
  node.inputs = {input};
  return add(std::move(node));
}

NodeId PlanBuilder::union_all(std::vector<NodeId> inputs) {
  PlanNode node = plan_->nodes[inputs.front()];
  node.op = UnionNode{};
  for (NodeId input : inputs) {
    if (plan_->nodes[input].changelog) node.changelog = true;
    if (plan_->nodes[input].event_time != node.event_time) node.event_time.reset();
  }
  node.inputs = std::move(inputs);
  return add(std::move(node));
}

NodeId PlanBuilder::aggregate(NodeId input, AggregateNode op) {
  PlanNode node;
  node.inputs = {input};
  node.schema = schema_of_aggregate(plan_->nodes[input].schema, op);
  node.changelog = op.emit == Emit::kChanges;
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::distinct(NodeId input, DistinctNode op) {
  PlanNode node = plan_->nodes[input];
  node.op = std::move(op);
  node.inputs = {input};
  return add(std::move(node));
}

NodeId PlanBuilder::top_n(NodeId input, TopNNode op) {
  PlanNode node = plan_->nodes[input];
  node.inputs = {input};
  node.changelog = true;
  if (op.ranked) node.schema.push_back({"row_number", Type::bigint()});
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::reorder(NodeId input, ReorderNode op) {
  PlanNode node = plan_->nodes[input];
  node.inputs = {input};
  node.schema.push_back({"record_topic", Type::text()});
  node.schema.push_back({"record_partition", Type::integer()});
  node.schema.push_back({"record_offset", Type::bigint()});
  node.schema.push_back({"record_ordinal", Type::integer()});
  node.op = op;
  return add(std::move(node));
}

NodeId PlanBuilder::sliding(NodeId input, SlidingNode op) {
  PlanNode node = plan_->nodes[input];
  node.inputs = {input};
  for (const FrameCall& call : op.calls) {
    node.schema.push_back({std::string(frame_function_name(call.function)), call.result});
  }
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::arrange(NodeId input, std::vector<int> key) {
  PlanNode node = plan_->nodes[input];
  node.op = ArrangeNode{std::move(key)};
  node.inputs = {input};
  return add(std::move(node));
}

PlanNode PlanBuilder::join(NodeId left, NodeId right, const JoinKey& key) {
  PlanNode node;
  node.inputs = {arrange(left, key.left), arrange(right, key.right)};
  node.schema = plan_->nodes[left].schema;
  const Schema& behind = plan_->nodes[right].schema;
  node.schema.insert(node.schema.end(), behind.begin(), behind.end());
  return node;
}

NodeId PlanBuilder::lookup(NodeId left, NodeId right, LookupNode op) {
  PlanNode node = join(left, right, op.key);
  node.event_time = plan_->nodes[left].event_time;
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::rules(NodeId rows, NodeId rules, RulesNode op,
                          const std::vector<std::string>& names) {
  PlanNode node = join(rows, rules, op.key);
  const Type weight = plan_->nodes[rules].schema[3].type;
  node.schema.resize(names.size());
  for (size_t i = 0; i < names.size(); ++i) node.schema[i].name = names[i];
  node.schema.push_back({"rule_ids", Type::text()});
  node.schema.push_back({"reason_codes", Type::text()});
  node.schema.push_back({"rule_weight", Type::numeric(38, weight.scale)});
  node.event_time = plan_->nodes[rows].event_time;
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::relation_join(NodeId left, NodeId right, RelationJoinNode op) {
  PlanNode node = join(left, right, op.key);
  node.changelog = true;
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::interval_join(NodeId left, NodeId right, IntervalJoinNode op) {
  PlanNode node = join(left, right, op.key);
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::view(NodeId input, ViewNode op, const std::vector<std::string>& names) {
  PlanNode node = plan_->nodes[input];
  node.inputs = {input};
  if (op.conflict == ViewNode::Conflict::kLatestWins) node.changelog = true;
  for (size_t i = 0; i < names.size(); ++i) node.schema[i].name = names[i];
  op.event_time = node.event_time;
  node.op = std::move(op);
  return add(std::move(node));
}

NodeId PlanBuilder::output(NodeId input, OutputNode op) {
  PlanNode node;
  node.inputs = {input};
  const schemas::Source& sink = plan_->sources[static_cast<size_t>(op.sink)];
  for (const schemas::SourceColumn& column : sink.columns) {
    node.schema.push_back({column.name, column.type});
  }
  node.event_time = plan_->nodes[input].event_time;
  node.changelog = sink.upsert;
  node.op = op;
  return add(std::move(node));
}

std::vector<int> PlanBuilder::sources_of(NodeId id) const {
  std::set<int> sources;
  std::vector<NodeId> open = {id};
  while (!open.empty()) {
    const PlanNode& node = plan_->nodes[open.back()];
    open.pop_back();
    if (const auto* reads = std::get_if<SourceNode>(&node.op)) sources.insert(reads->source);
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  return {sources.begin(), sources.end()};
}

}  // namespace kappa::sql
