#include "engine/runtime/query_executor.h"

#include "absl/strings/str_split.h"
#include "engine/runtime/query_explain.h"
#include "engine/runtime/query_rows.h"
#include "engine/runtime/query_stage.h"
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

absl::Status find_waiting(const sql::BoundQuery& query, const operators::Plan& plan,
                          Snapshot& snapshot, std::vector<WaitingRows>* waiting) {
  for (const operators::NodeId id : query.views) {
    const auto& view = std::get<operators::ViewNode>(plan.node(id).op);
    if (view.emit != operators::Emit::kFinal) continue;
    KAPPA_ASSIGN_OR_RETURN(Snapshot::Waiting rows, snapshot.waiting(id));
    if (rows.rows == 0) continue;
    rows.until.us = saturating_add(rows.until.us, -held_back_us(plan, plan.node(id)));
    waiting->push_back({view.name, rows});
  }
  return absl::OkStatus();
}

// A line a row, as PostgreSQL has it.
QueryResult explained(const sql::BoundQuery& query, const operators::Plan& plan) {
  QueryResult result;
  result.schema = {{"QUERY PLAN", Type::text()}};
  const std::string text = to_text(explain_query(query, plan));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  Column column(Type::text(), lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    column.values<StringRef>()[i] = result.arena.copy(lines[i]);
  }
  result.rows.rows = lines.size();
  result.rows.columns.push_back(std::make_shared<const Column>(std::move(column)));
  return result;
}

}  // namespace

absl::StatusOr<QueryResult> execute(const sql::BoundQuery& query, ViewReader& reader,
                                    const QueryLimits& limits) {
  QueryBudget budget(limits);
  KAPPA_RETURN_IF_ERROR(budget.check_deadline());
  KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot,
                         reader.pin(query.views, limits.deadline));
  if (query.explains) {
    QueryResult result = explained(query, reader.plan());
    result.stamp = snapshot->stamp();
    return result;
  }
  QueryRun run{*snapshot, budget, repeated_scans(*query.root)};
  const QueryStageRef root = make_stage(*query.root, run);

  QueryRows rows(query.root->schema);
  size_t held_bytes = 0;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(Batch batch, root->next());
    if (batch.empty()) break;
    rows.append(batch);
    KAPPA_RETURN_IF_ERROR(budget.hold(rows.bytes(), &held_bytes));
  }
  QueryResult result;
  result.stamp = snapshot->stamp();
  result.schema = query.root->schema;
  KAPPA_RETURN_IF_ERROR(find_waiting(query, reader.plan(), *snapshot, &result.waiting));
  result.rows = rows.take_rows();
  result.arena = rows.take_arena();
  return result;
}

}  // namespace kappa::runtime
