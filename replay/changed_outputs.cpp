#include "replay/changed_outputs.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "schemas/source.h"

namespace kappa::replay {

using operators::kNoNode;
using operators::NodeId;
using operators::OutputNode;
using operators::Plan;
using operators::PlanNode;

namespace {

bool is_upsert(const Plan& plan, const PlanNode& node) {
  return std::holds_alternative<OutputNode>(node.op) && operators::sink_of(plan, node.id).upsert;
}

// The one that writes a topic by key, or kNoNode.
NodeId find_output(const Plan& plan, const std::string& topic) {
  for (const PlanNode& node : plan.nodes) {
    if (is_upsert(plan, node) && operators::sink_of(plan, node.id).topic == topic) return node.id;
  }
  return kNoNode;
}

bool is_protobuf(const schemas::Source& table) {
  return table.format == schemas::Format::kProtobuf;
}

// Whether the .proto files have a say in what it gives out.
bool depends_on_protos(const Plan& plan, const PlanNode& node) {
  if (const auto* source = std::get_if<operators::SourceNode>(&node.op)) {
    return is_protobuf(plan.sources[static_cast<size_t>(source->source)]);
  }
  if (is_upsert(plan, node) && is_protobuf(operators::sink_of(plan, node.id))) return true;
  for (const NodeId input : node.inputs) {
    if (depends_on_protos(plan, plan.node(input))) return true;
  }
  return false;
}

// Fingerprints say how an output is computed and how its table is declared.
bool unchanged(const Logic& before, NodeId old, const Logic& after, const PlanNode& output) {
  if (old == kNoNode || before.plan.node(old).fingerprint != output.fingerprint) return false;
  return before.protos == after.protos || !depends_on_protos(after.plan, output);
}

// FILE:LINE:COLUMN of its INSERT.
std::string place_of(const Plan& plan, NodeId output, const schemas::ProductFiles& files) {
  const auto& op = std::get<OutputNode>(plan.node(output).op);
  const operators::Statement& statement = plan.statements[static_cast<size_t>(op.statement)];
  std::string place = absl::StrCat(statement.position.line, ":", statement.position.column);
  for (const auto& [path, text] : files) {
    if (absl::StrContains(text, statement.text)) return absl::StrCat(path, ":", place);
  }
  return place;
}

}  // namespace

std::vector<ChangedOutput> changed_outputs(const Logic& before, const Logic& after) {
  std::vector<ChangedOutput> changed;
  for (const PlanNode& node : after.plan.nodes) {
    if (!is_upsert(after.plan, node)) continue;
    const NodeId old = find_output(before.plan, operators::sink_of(after.plan, node.id).topic);
    if (!unchanged(before, old, after, node)) changed.push_back({old, node.id});
  }
  return changed;
}

NodeId view_of_output(const Plan& plan, NodeId output) {
  NodeId id = plan.node(output).inputs[0];
  while (std::holds_alternative<operators::FilterNode>(plan.node(id).op) ||
         std::holds_alternative<operators::ProjectNode>(plan.node(id).op)) {
    id = plan.node(id).inputs[0];
  }
  return std::holds_alternative<operators::ViewNode>(plan.node(id).op) ? id : kNoNode;
}

absl::Status check_readable(const std::vector<ChangedOutput>& outputs, const Plan& after,
                            const schemas::ProductFiles& files) {
  for (const ChangedOutput& output : outputs) {
    if (view_of_output(after, output.after) != kNoNode) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        place_of(after, output.after, files), ": INSERT INTO \"",
        operators::sink_of(after, output.after).name,
        "\" changes, and the rows that its topic then has to hold are kept nowhere: its SELECT "
        "does more than filter a view and compute its columns; make the SELECT a view, and "
        "insert from that"));
  }
  return absl::OkStatus();
}

}  // namespace kappa::replay
