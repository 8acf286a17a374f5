#include "engine/runtime/query_executor.h"

#include "absl/strings/str_split.h"
#include "engine/runtime/query_explain.h"
#include "engine/runtime/query_rows.h"
#include "engine/runtime/running_query.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

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

absl::StatusOr<QueryResult> explain(const sql::BoundQuery& query, ViewReader& reader,
                                    const QueryLimits& limits) {
  KAPPA_RETURN_IF_ERROR(QueryBudget(limits).check_deadline());
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<Snapshot> snapshot,
                         reader.pin(query.views, limits.deadline));
  QueryResult result = explained(query, reader.plan());
  result.stamp = snapshot->stamp();
  return result;
}

}  // namespace

absl::StatusOr<QueryResult> execute(const sql::BoundQuery& query, ViewReader& reader,
                                    const QueryLimits& limits) {
  if (query.explains) return explain(query, reader, limits);
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<RunningQuery> running,
                         RunningQuery::start(query, reader, limits));
  QueryRows rows(running->schema());
  size_t held_bytes = 0;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(Batch batch, running->next());
    if (batch.empty()) break;
    rows.append(batch);
    KAPPA_RETURN_IF_ERROR(running->budget().hold(rows.bytes(), &held_bytes));
  }
  QueryResult result;
  result.stamp = running->stamp();
  result.schema = running->schema();
  KAPPA_ASSIGN_OR_RETURN(result.waiting, running->waiting());
  result.rows = rows.take_rows();
  result.arena = rows.take_arena();
  return result;
}

}  // namespace kappa::runtime
