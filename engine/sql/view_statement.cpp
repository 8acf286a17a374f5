#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/options.h"
#include "engine/sql/statement.h"
#include "engine/sql/suggest.h"
#include "engine/sql/view_planner.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "engine/types/time.h"

namespace kappa::sql {

using operators::Emit;
using operators::ViewNode;

namespace {

absl::StatusOr<Emission> bind_emission(const Options& options) {
  Emission emission;
  if (const auto emit = options.text("emit")) {
    if (*emit != "changes" && *emit != "final") {
      return fault(options.place("emit"),
                   absl::StrCat("option \"emit\": ", excerpt(*emit), " is not a way to emit"),
                   "write 'changes' (every change at once) or 'final' (once the window is closed)");
    }
    emission.emit = *emit == "final" ? Emit::kFinal : Emit::kChanges;
  }
  KAPPA_ASSIGN_OR_RETURN(const auto grace, options.duration_us("grace"));
  emission.grace_us = grace.value_or(0);
  KAPPA_ASSIGN_OR_RETURN(emission.retention_us, options.duration_us("retention"));
  return emission;
}

absl::Status check_windows(const Options& options, const Emission& emission,
                           const ViewPlanner& planner, bool windowed) {
  if (options.has("retention") && planner.has_distinct()) {
    return fault(options.place("retention"), "retention with DISTINCT is not supported yet",
                 "a key that is forgotten would come again: leave it out");
  }
  if (options.has("retention") && planner.has_row_number()) {
    return fault(options.place("retention"), "retention with ROW_NUMBER() is not supported yet",
                 "the first rows of a key stay until others take their place: leave it out");
  }
  const char* hint = "FROM tumble(t, event_time, INTERVAL '1 minute') GROUP BY window_start";
  const bool closes = windowed || planner.has_over();
  if (emission.emit == Emit::kFinal && (!closes || planner.has_unwindowed_group())) {
    return fault(options.place("emit"), "emit = 'final' needs a window", hint);
  }
  if (windowed) return absl::OkStatus();
  if (options.has("grace") && !planner.has_window() && !planner.has_join_by_time()) {
    return fault(options.place("grace"), "grace needs a window, or a join by time", hint);
  }
  if (options.has("retention") && planner.has_group()) {
    return fault(options.place("retention"),
                 "retention of groups needs a window: a group without one has no time", hint);
  }
  return absl::OkStatus();
}

int hidden_columns(const Relation& relation) {
  return static_cast<int>(
      std::count_if(relation.columns.begin(), relation.columns.end(),
                    [](const RelationColumn& column) { return column.hidden; }));
}

// Every column of a view has a name of its own.
absl::Status check_names(const Node& query, const Relation& relation) {
  std::set<std::string> names;
  const Node* first = &query;
  while (const Node* left = first->child("larg")) first = left;
  const auto targets = first->list("targetList");
  const bool star =
      targets.size() + static_cast<size_t>(hidden_columns(relation)) != relation.columns.size();
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const Node& at = star || i >= targets.size() ? query : targets[i];
    const std::string& name = relation.columns[i].name;
    if (name == "?column?") {
      return fault(at, absl::StrCat("column ", i + 1, " of the view has no name"),
                   "name it with AS");
    }
    if (!names.insert(name).second) {
      return fault(at, absl::StrCat("the view has two columns \"", name, "\""),
                   "name one of them otherwise with AS");
    }
  }
  return absl::OkStatus();
}

// WITH (key = 'a, b'): columns of the view.
absl::StatusOr<std::vector<int>> named_key(const Options& options, const Relation& relation) {
  std::vector<std::string> names;
  for (const RelationColumn& column : relation.columns) names.push_back(column.name);
  std::vector<int> key;
  const std::vector<std::string> parts = absl::StrSplit(*options.text("key"), ',');
  for (const std::string& part : parts) {
    const std::string name(strip_spaces(part));
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return fault(options.place("key"), absl::StrCat("key column \"", name, "\" is not selected"),
                   suggestion(name, names));
    }
    const auto column = static_cast<int>(found - names.begin());
    if (std::find(key.begin(), key.end(), column) != key.end()) {
      return fault(options.place("key"), absl::StrCat("key column \"", name, "\" comes twice"));
    }
    key.push_back(column);
  }
  return key;
}

absl::Status choose_key(const Options& options, const Relation& relation, ViewNode* view) {
  if (options.has("key")) {
    KAPPA_ASSIGN_OR_RETURN(view->key, named_key(options, relation));
    const bool natural = relation.key && relation.conflict == ViewNode::Conflict::kGrouped &&
                         std::is_permutation(view->key.begin(), view->key.end(),
                                             relation.key->begin(), relation.key->end());
    if (natural) return absl::OkStatus();
    if (relation.changelog) {
      return fault(options.place("key"), "a key over rows that change is not supported yet",
                   "the view has the key of its groups; for another one, read append-only rows, "
                   "such as windows with emit = 'final'");
    }
    view->conflict = ViewNode::Conflict::kLatestWins;
    return absl::OkStatus();
  }
  if (relation.key) {
    view->key = *relation.key;
    view->conflict = relation.conflict;
    return absl::OkStatus();
  }
  view->by_record = relation.by_records;
  if (view->by_record) return absl::OkStatus();
  return fault(relation.no_key_offset, relation.no_key_reason, relation.no_key_hint);
}

absl::Status choose_expiry(const Options& options, const Relation& relation,
                           const Emission& emission, ViewNode* view) {
  if (!view->retention_us) return absl::OkStatus();
  const bool shows_window = std::any_of(
      relation.columns.begin(), relation.columns.end(), [](const RelationColumn& column) {
        return column.role == TimeRole::kWindowStart || column.role == TimeRole::kWindowEnd;
      });
  if (relation.windowed && view->conflict == ViewNode::Conflict::kGrouped && shows_window) {
    // As the windows below; those that change are taken back from there.
    view->expiry = window_expiry(relation, emission);
    return absl::OkStatus();
  }
  if (const auto event_time = relation.event_time()) {
    view->expiry = {*event_time, *view->retention_us};
    return absl::OkStatus();
  }
  return fault(options.place("retention"),
               "retention needs the event time, and the view does not select it",
               "add the source's event time, or a window's window_time, to the SELECT list");
}

// What later statements see of the view.
Relation as_seen(const Relation& rows, const std::string& name, const ViewNode& view,
                 const operators::PlanNode& node) {
  Relation seen = rows;
  seen.name = name;
  seen.node = node.id;
  seen.source.reset();
  seen.windowed = false;
  seen.changelog = node.changelog;
  seen.expiry = node.changelog ? std::nullopt : view.expiry;
  seen.key.reset();
  if (!view.by_record) seen.key = view.key;
  seen.conflict = ViewNode::Conflict::kGrouped;
  // A view by record, or of a source's facts, still has a record to each row.
  seen.by_records = rows.by_records && !node.changelog;
  seen.retention_us = view.retention_us;
  return seen;
}

}  // namespace

absl::Status compile_view(const Node& statement, ProductContext& context) {
  KAPPA_RETURN_IF_ERROR(
      expect_only(statement, {{"query"}, {"into"}, {"objtype", "OBJECT_MATVIEW"}}));
  const Node& into = *statement.child("into");
  Node into_clause = into;
  into_clause.kind = "IntoClause";
  KAPPA_RETURN_IF_ERROR(
      expect_only(into_clause, {{"rel"}, {"options"}, {"onCommit", "ONCOMMIT_NOOP"}}));
  const Node& name_node = *into.child("rel");
  KAPPA_RETURN_IF_ERROR(
      expect_only(name_node, {{"relname"}, {"inh", "true"}, {"relpersistence", "p"}}));
  const std::string name(name_node.text("relname"));
  KAPPA_RETURN_IF_ERROR(context.catalog.check_free(name_node, name));
  KAPPA_ASSIGN_OR_RETURN(
      const Options options,
      Options::read(into.list("options"), {"grace", "retention", "emit", "key"}, "a view"));
  KAPPA_ASSIGN_OR_RETURN(const Emission emission, bind_emission(options));

  const Node& query = *statement.child("query");
  ViewPlanner planner(context.text, context.catalog, context.builder, emission, "in a view",
                      !options.has("key"));
  KAPPA_ASSIGN_OR_RETURN(const Relation rows, planner.plan(query));
  KAPPA_RETURN_IF_ERROR(check_windows(options, emission, planner, rows.windowed));
  KAPPA_RETURN_IF_ERROR(check_names(query, rows));

  ViewNode view;
  view.name = name;
  view.emit = emission.emit;
  view.retention_us = emission.retention_us;
  view.hidden = hidden_columns(rows);
  view.statement = context.statement;
  KAPPA_RETURN_IF_ERROR(choose_key(options, rows, &view));
  KAPPA_RETURN_IF_ERROR(choose_expiry(options, rows, emission, &view));
  std::vector<std::string> names;
  for (const RelationColumn& column : rows.columns) names.push_back(column.name);
  const operators::NodeId id = context.builder.view(rows.node, view, names);
  context.catalog.add(as_seen(rows, name, view, context.builder.node(id)));
  return absl::OkStatus();
}

}  // namespace kappa::sql
