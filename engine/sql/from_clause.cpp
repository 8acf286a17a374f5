#include "engine/sql/from_clause.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/join_from.h"
#include "engine/sql/rules_function.h"
#include "engine/sql/window_function.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {
namespace {

constexpr std::array<std::string_view, 8> kJoinWords = {"asof", "semi",     "anti",   "temporal",
                                                        "any",  "interval", "window", "lookup"};

// The table that stands directly before the word JOIN.
const Node& last_table(const Node& from) {
  const Node* right = from.is("JoinExpr") ? from.child("rarg") : nullptr;
  return right ? last_table(*right) : from;
}

absl::StatusOr<std::string> alias_of(const Node& from, const std::string& otherwise) {
  const Node* alias = from.child("alias");
  if (!alias) return otherwise;
  Node named = *alias;
  named.kind = "Alias";
  KAPPA_RETURN_IF_ERROR(expect_only(named, {{"aliasname"}}));
  return std::string(alias->text("aliasname"));
}

constexpr std::array<const char*, 3> kWindowColumns = {"window_start", "window_end", "window_time"};

// A window's columns hide those of an inner window, which have the same names.
void add_columns(const FromItem& item, Scope& scope) {
  for (const RelationColumn& column : item.relation->columns) {
    const bool shadowed = item.window && std::find(kWindowColumns.begin(), kWindowColumns.end(),
                                                   column.name) != kWindowColumns.end();
    scope.add({.relation = item.alias,
               .name = column.name,
               .type = column.type,
               .in_star = !shadowed && !column.hidden,
               .shadowed = shadowed});
  }
  if (!item.window) return;
  for (const char* name : kWindowColumns) {
    scope.add({.relation = item.alias,
               .name = name,
               .type = Type::timestamptz(),
               .in_star = std::string_view(name) != "window_time",
               .of_window = true});
  }
}

absl::StatusOr<FromItem> bind_table(const Node& table, const NestedQueries& queries) {
  KAPPA_RETURN_IF_ERROR(
      expect_only(table, {{"relname"}, {"inh", "true"}, {"relpersistence", "p"}, {"alias"}}));
  FromItem item{.node = &table};
  const std::string name(table.text("relname"));
  KAPPA_ASSIGN_OR_RETURN(item.relation, queries.find(table, name));
  KAPPA_ASSIGN_OR_RETURN(item.alias, alias_of(table, name));
  return item;
}

absl::StatusOr<FromItem> bind_subquery(const Node& from, NestedQueries& queries) {
  KAPPA_RETURN_IF_ERROR(expect_only(from, {{"subquery"}, {"alias"}}));
  FromItem item{.node = &from};
  KAPPA_ASSIGN_OR_RETURN(item.alias, alias_of(from, ""));
  KAPPA_ASSIGN_OR_RETURN(item.relation, queries.add_subquery(*from.child("subquery"), item.alias));
  return item;
}

absl::StatusOr<FromItem> bind_function(const Node& function, NestedQueries& queries,
                                       const SourceText& text) {
  KAPPA_RETURN_IF_ERROR(expect_only(function, {{"functions"}, {"alias"}}));
  const auto items = function.list("functions")[0].list("items");
  if (!items[0].is("FuncCall")) return fault(function, "FROM takes a table or a window function");
  if (items[0].names("funcname").back() == "apply_rules") {
    FromItem item{.node = &function};
    KAPPA_ASSIGN_OR_RETURN(item.relation, bind_apply_rules(items[0], queries, text));
    KAPPA_ASSIGN_OR_RETURN(item.alias, alias_of(function, item.relation->name));
    return item;
  }
  KAPPA_ASSIGN_OR_RETURN(BoundWindow window, bind_window_function(items[0], queries, text));
  FromItem item{.relation = window.relation, .window = std::move(window.window), .node = &function};
  KAPPA_ASSIGN_OR_RETURN(item.alias, alias_of(function, item.relation->name));
  return item;
}

}  // namespace

int FromClause::key_bound(int window_column) const {
  if (window->fixed_size()) return window_start();
  if (window->kind == operators::GroupWindow::Kind::kCumulate) return window_end();
  return window_column == window_start() ? window_start() : window_end();
}

absl::Status refuse_join_words(const Node& join) {
  const Node& left = last_table(*join.child("larg"));
  const Node* alias = left.child("alias");
  if (!alias) return absl::OkStatus();
  const std::string_view name = alias->text("aliasname");
  if (std::find(kJoinWords.begin(), kJoinWords.end(), name) == kJoinWords.end()) {
    return absl::OkStatus();
  }
  const std::string word = absl::AsciiStrToUpper(std::string(name));
  return fault(
      left, absl::StrCat(word, " JOIN is not supported yet"),
      absl::StrCat("if \"", std::string(name), "\" is meant as an alias, choose another name"));
}

absl::StatusOr<FromItem> bind_from_item(const Node& item, NestedQueries& queries,
                                        const SourceText& text) {
  if (item.is("RangeVar")) return bind_table(item, queries);
  if (item.is("RangeSubselect")) return bind_subquery(item, queries);
  if (item.is("RangeFunction")) return bind_function(item, queries, text);
  return not_supported(item, item.kind, "in a view");
}

absl::StatusOr<FromClause> bind_from(const Node& select, NestedQueries& queries,
                                     const SourceText& text, int64_t grace_us) {
  const auto items = select.list("fromClause");
  if (items.empty()) {
    return fault(select, "a view reads a table or view: FROM is missing",
                 "write SELECT … FROM a table or view");
  }
  if (items.size() > 1) {
    return fault(items[1], "more than one table in FROM is not supported yet in a view",
                 "write JOIN … ON a.x = b.x");
  }
  if (items[0].is("JoinExpr")) return bind_join(items[0], select, queries, text, grace_us);
  KAPPA_ASSIGN_OR_RETURN(FromItem item, bind_from_item(items[0], queries, text));
  FromClause from{.relation = item.relation, .window = item.window, .scope = {}};
  add_columns(item, from.scope);
  return from;
}

}  // namespace kappa::sql
