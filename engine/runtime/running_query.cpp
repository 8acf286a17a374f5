#include "engine/runtime/running_query.h"

#include "engine/types/status_macros.h"
#include "operators/windows.h"

namespace kappa::runtime {
namespace {

void find_scans(const sql::QueryNode& node, std::map<operators::NodeId, RepeatedScan>* scans,
                std::map<operators::NodeId, int>* times) {
  if (const auto* scan = std::get_if<sql::ViewScan>(&node.op); scan && !scan->point_key) {
    ++(*times)[scan->view];
    (*scans)[scan->view].columns.insert(scan->columns.begin(), scan->columns.end());
  }
  for (const sql::QueryNodeRef& input : node.inputs) find_scans(*input, scans, times);
}

std::map<operators::NodeId, RepeatedScan> repeated_scans(const sql::QueryNode& root) {
  std::map<operators::NodeId, RepeatedScan> scans;
  std::map<operators::NodeId, int> times;
  find_scans(root, &scans, &times);
  std::erase_if(scans, [&](const auto& scan) { return times[scan.first] < 2; });
  return scans;
}

// What a view's own watermark is behind the one that its rows are judged by: its window's grace.
int64_t held_back_us(const operators::Plan& plan, const operators::PlanNode& view) {
  const operators::PlanNode* node = &view;
  while (!node->inputs.empty()) {
    node = &plan.node(node->inputs[0]);
    if (const auto* aggregate = std::get_if<operators::AggregateNode>(&node->op)) {
      return aggregate->window ? operators::held_back_us(*aggregate->window) : 0;
    }
    // HAVING stands in between, and what the SELECT list computes.
    const bool passes = std::holds_alternative<operators::ProjectNode>(node->op) ||
                        std::holds_alternative<operators::FilterNode>(node->op);
    if (!passes) break;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunningQuery>> RunningQuery::start(const sql::BoundQuery& query,
                                                                  ViewReader& reader,
                                                                  const QueryLimits& limits) {
  KAPPA_RETURN_IF_ERROR(QueryBudget(limits).check_deadline());
  KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot,
                         reader.pin(query.views, limits.deadline));
  return std::unique_ptr<RunningQuery>(
      new RunningQuery(query, reader.plan(), std::move(snapshot), limits));
}

RunningQuery::RunningQuery(const sql::BoundQuery& query, const operators::Plan& plan,
                           std::unique_ptr<Snapshot> snapshot, const QueryLimits& limits)
    : query_(query),
      plan_(plan),
      snapshot_(std::move(snapshot)),
      budget_(limits),
      run_{*snapshot_, budget_, repeated_scans(*query.root)},
      root_(make_stage(*query.root, run_)) {}

absl::StatusOr<std::vector<WaitingRows>> RunningQuery::waiting() {
  std::vector<WaitingRows> waiting;
  for (const operators::NodeId id : query_.views) {
    const auto& view = std::get<operators::ViewNode>(plan_.node(id).op);
    if (view.emit != operators::Emit::kFinal) continue;
    KAPPA_ASSIGN_OR_RETURN(Snapshot::Waiting rows, snapshot_->waiting(id));
    if (rows.rows == 0) continue;
    rows.until.us = saturating_add(rows.until.us, -held_back_us(plan_, plan_.node(id)));
    waiting.push_back({view.name, rows});
  }
  return waiting;
}

}  // namespace kappa::runtime
