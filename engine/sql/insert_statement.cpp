#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/sql/coercion.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/statement.h"
#include "engine/sql/suggest.h"
#include "engine/sql/view_planner.h"
#include "engine/types/status_macros.h"
#include "schemas/encoder.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::NodeId;

namespace {

// The columns of the sink that the query's columns go to, in the query's order.
absl::StatusOr<std::vector<size_t>> target_columns(const Node& statement,
                                                   const schemas::Source& sink, size_t count) {
  std::vector<std::string> names;
  for (const schemas::SourceColumn& column : sink.columns) names.push_back(column.name);
  std::vector<size_t> targets;
  for (const Node& column : statement.list("cols")) {
    KAPPA_RETURN_IF_ERROR(expect_only(column, {{"name"}}));
    const std::string name(column.text("name"));
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return fault(column, absl::StrCat("\"", sink.name, "\" has no column \"", name, "\""),
                   suggestion(name, names));
    }
    const auto index = static_cast<size_t>(found - names.begin());
    if (std::find(targets.begin(), targets.end(), index) != targets.end()) {
      return fault(column, absl::StrCat("column \"", name, "\" comes twice"));
    }
    targets.push_back(index);
  }
  if (targets.empty()) {
    for (size_t i = 0; i < std::min(count, names.size()); ++i) targets.push_back(i);
  }
  if (targets.size() == count) return targets;
  return fault(*statement.child("relation"), absl::StrCat("the query has ", count, " columns, \"",
                                                          sink.name, "\" takes ", targets.size()));
}

// A column of the query as the sink's type. Numbers may lose digits as on every assignment: what
// does not fit is an error of the row.
absl::StatusOr<ExprRef> assign(const ExprRef& value, const schemas::SourceColumn& column,
                               const Node& at) {
  const Operand operand{value, &at};
  if (value->type.id == TypeId::kNumeric && column.type.id == TypeId::kNumeric) {
    return cast(operand, column.type, value->position);
  }
  auto assigned = coerce(operand, column.type);
  if (assigned.ok()) return assigned;
  return fault(at,
               absl::StrCat("column \"", column.name, "\" takes ", to_string(column.type),
                            ", found ", to_string(value->type)),
               absl::StrCat("write CAST(… AS ", to_string(column.type), ")"));
}

const Node& place_of_column(const Node& query, size_t column) {
  const Node* first = &query;
  while (const Node* left = first->child("larg")) first = left;
  const auto targets = first->list("targetList");
  return column < targets.size() ? targets[column] : query;
}

// The query's rows with the sink's columns, `targets[i]` being that of the query's column i; those
// that it does not fill are NULL.
absl::StatusOr<NodeId> plan_columns(const Node& statement, const schemas::Source& sink,
                                    const std::vector<size_t>& targets, const Relation& rows,
                                    ProductContext& context) {
  const Node& query = *statement.child("selectStmt");
  std::vector<ExprRef> exprs(sink.columns.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    const Node& at = place_of_column(query, i);
    const ExprRef value = operators::column_expr(static_cast<int>(i), rows.columns[i].type,
                                                 context.text.position(at.offset));
    KAPPA_ASSIGN_OR_RETURN(exprs[targets[i]], assign(value, sink.columns[targets[i]], at));
  }
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (exprs[i]) continue;
    if (sink.columns[i].not_null) {
      return fault(*statement.child("relation"),
                   absl::StrCat("column \"", sink.columns[i].name,
                                "\" is NOT NULL, and the query does not fill it"));
    }
    exprs[i] = operators::constant_expr(Value::null(sink.columns[i].type),
                                        context.text.position(statement.offset));
  }
  return context.builder.project(rows.node, std::move(exprs));
}

// What an output topic can take back: nothing, unless its table is one of mode 'upsert'.
absl::Status check_changes(const Node& query, const schemas::Source& sink, const Relation& rows) {
  if (!rows.changelog || sink.upsert) return absl::OkStatus();
  return fault(place_of_column(query, 0), "an output topic takes append-only rows, these change",
               "declare the table with mode 'upsert' and a PRIMARY KEY, so that records replace "
               "each other; or make a view with emit = 'final' and insert from it");
}

// Two statements would take back each other's rows.
absl::Status check_only_writer(const Node& relation, int sink, const operators::Plan& plan) {
  for (const operators::PlanNode& node : plan.nodes) {
    const auto* output = std::get_if<operators::OutputNode>(&node.op);
    if (!output || output->sink != sink) continue;
    const operators::SqlPosition at = operators::insert_position(plan, node.id);
    return fault(relation,
                 absl::StrCat("\"", plan.sources[static_cast<size_t>(sink)].name,
                              "\" holds the rows of one INSERT by their key, that at ", at.line,
                              ":", at.column),
                 "make a view of all the rows, and insert from that");
  }
  return absl::OkStatus();
}

// The fault of rows that have no key of columns.
absl::Status refuse_keyless(const Node& query, const schemas::Source& sink, const Relation& rows) {
  const std::string message =
      absl::StrCat("\"", sink.name, "\" takes rows by their key, and these have none");
  if (!rows.no_key_reason.empty()) {
    return fault(rows.no_key_offset, absl::StrCat(message, ": ", rows.no_key_reason),
                 rows.no_key_hint);
  }
  return fault(place_of_column(query, 0), message,
               rows.key
                   ? "there is one row of all, which nothing names: GROUP BY what its key is to "
                     "be"
                   : "read a view with a key, WITH (key = '…'), and select all of it");
}

// The columns of the table that `columns`, of the query, go to.
std::vector<size_t> targets_of(const std::vector<int>& columns,
                               const std::vector<size_t>& targets) {
  std::vector<size_t> found;
  found.reserve(columns.size());
  for (const int column : columns) found.push_back(targets[static_cast<size_t>(column)]);
  return found;
}

bool contains(const std::vector<size_t>& columns, size_t column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::string list_columns(const std::vector<size_t>& columns, const schemas::Source& sink) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const size_t column : columns) names.push_back(sink.columns[column].name);
  return absl::StrCat("(", absl::StrJoin(names, ", "), ")");
}

// The first column of the query that is in the one key only; the table, if no column fills that.
const Node& place_of_mismatch(const Node& statement, const std::vector<size_t>& targets,
                              const std::vector<size_t>& of_rows,
                              const std::vector<size_t>& of_table) {
  for (size_t i = 0; i < targets.size(); ++i) {
    if (contains(of_rows, targets[i]) != contains(of_table, targets[i])) {
      return place_of_column(*statement.child("selectStmt"), i);
    }
  }
  return *statement.child("relation");
}

// Records of an upsert table replace each other by its PRIMARY KEY: that must be what tells the
// query's rows apart, no more and no less, as it is.
absl::Status check_upsert_key(const Node& statement, const schemas::Source& sink,
                              const std::vector<size_t>& targets, const Relation& rows) {
  const Node& query = *statement.child("selectStmt");
  if (!rows.key || rows.key->empty()) return refuse_keyless(query, sink, rows);
  const std::vector<size_t> of_rows = targets_of(*rows.key, targets);
  const std::vector<size_t> of_table(sink.primary_key.begin(), sink.primary_key.end());
  if (!std::is_permutation(of_rows.begin(), of_rows.end(), of_table.begin(), of_table.end())) {
    return fault(place_of_mismatch(statement, targets, of_rows, of_table),
                 absl::StrCat("the key of the rows is ", list_columns(of_rows, sink),
                              ", that of \"", sink.name, "\" ", list_columns(of_table, sink)),
                 absl::StrCat("declare PRIMARY KEY ", list_columns(of_rows, sink)));
  }
  for (const int column : *rows.key) {
    const auto index = static_cast<size_t>(column);
    const Type& type = rows.columns[index].type;
    const schemas::SourceColumn& target = sink.columns[targets[index]];
    if (type == target.type) continue;
    return fault(place_of_column(query, index),
                 absl::StrCat("the key column \"", target.name, "\" is ", to_string(target.type),
                              ", the key of the rows ", to_string(type)),
                 absl::StrCat("a key goes out as it is: declare \"", target.name, "\" as ",
                              to_string(type)));
  }
  return absl::OkStatus();
}

bool reaches(const std::map<int, std::set<int>>& feeds, int from, int to) {
  if (from == to) return true;
  const auto next = feeds.find(from);
  if (next == feeds.end()) return false;
  return std::any_of(next->second.begin(), next->second.end(),
                     [&](int sink) { return reaches(feeds, sink, to); });
}

// A topic that feeds itself would never end.
absl::Status check_no_cycle(const Node& relation, int sink, NodeId rows, ProductContext& context) {
  const std::vector<int> sources = context.builder.sources_of(rows);
  for (int source : sources) {
    if (!reaches(context.feeds, sink, source)) continue;
    const auto& names = context.builder.plan().sources;
    return fault(relation,
                 absl::StrCat("\"", names[static_cast<size_t>(sink)].name,
                              "\" would feed itself: the query reads what comes of it"),
                 "write to a topic of its own");
  }
  for (int source : sources) context.feeds[source].insert(sink);
  return absl::OkStatus();
}

}  // namespace

absl::Status compile_insert(const Node& statement, ProductContext& context) {
  KAPPA_RETURN_IF_ERROR(expect_only(statement, {{"relation"},
                                                {"cols"},
                                                {"selectStmt"},
                                                {"withClause"},
                                                {"override", "OVERRIDING_NOT_SET"}}));
  const Node& relation = *statement.child("relation");
  KAPPA_RETURN_IF_ERROR(
      expect_only(relation, {{"relname"}, {"inh", "true"}, {"relpersistence", "p"}}));
  const Node* query = statement.child("selectStmt");
  if (!query || query->has("valuesLists")) {
    return fault(
        relation, "INSERT takes its rows from a SELECT",
        "write INSERT INTO topic SELECT …; single records are appended with kappa produce");
  }
  KAPPA_ASSIGN_OR_RETURN(
      const int sink_index,
      context.catalog.find_table(relation, std::string(relation.text("relname"))));
  const schemas::Source sink = context.builder.plan().sources[static_cast<size_t>(sink_index)];
  if (const auto encoder = schemas::make_encoder(sink, context.files); !encoder.ok()) {
    return fault(relation, encoder.status());
  }
  ViewPlanner planner(context.text, context.catalog, context.builder, Emission(), "in INSERT",
                      false);
  KAPPA_RETURN_IF_ERROR(planner.declare_with(statement));
  KAPPA_ASSIGN_OR_RETURN(const Relation rows, planner.plan(*query));
  KAPPA_RETURN_IF_ERROR(check_changes(*query, sink, rows));
  KAPPA_RETURN_IF_ERROR(check_no_cycle(relation, sink_index, rows.node, context));
  KAPPA_ASSIGN_OR_RETURN(const auto targets, target_columns(statement, sink, rows.columns.size()));
  if (sink.upsert) {
    KAPPA_RETURN_IF_ERROR(check_only_writer(relation, sink_index, context.builder.plan()));
    KAPPA_RETURN_IF_ERROR(check_upsert_key(statement, sink, targets, rows));
  }
  KAPPA_ASSIGN_OR_RETURN(const NodeId columns,
                         plan_columns(statement, sink, targets, rows, context));
  context.builder.output(columns, {.sink = sink_index, .statement = context.statement});
  return absl::OkStatus();
}

}  // namespace kappa::sql
