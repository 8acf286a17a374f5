#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/from_clause.h"
#include "engine/sql/join_condition.h"
#include "engine/sql/query_binder.h"
#include "engine/sql/suggest.h"
#include "engine/types/status_macros.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;

namespace {

absl::StatusOr<std::string> alias_of(const Node& from, const std::string& otherwise) {
  const Node* alias = from.child("alias");
  if (!alias) return otherwise;
  Node named = *alias;
  named.kind = "Alias";
  KAPPA_RETURN_IF_ERROR(expect_only(named, {{"aliasname"}}));
  return std::string(alias->text("aliasname"));
}

}  // namespace

absl::StatusOr<QueryFrom> QueryBinder::bind_from(const Node& select) {
  const auto items = select.list("fromClause");
  if (items.empty()) return QueryFrom();
  if (items.size() > 1) {
    return fault(items[1], "more than one table in FROM is not supported yet",
                 "write JOIN … ON a.x = b.x");
  }
  return bind_from_item(items[0]);
}

absl::StatusOr<QueryFrom> QueryBinder::bind_from_item(const Node& item) {
  if (item.is("RangeVar")) return bind_table(item);
  if (item.is("JoinExpr")) return bind_join(item);
  if (item.is("RangeSubselect")) {
    KAPPA_RETURN_IF_ERROR(expect_only(item, {{"subquery"}, {"alias"}}));
    KAPPA_ASSIGN_OR_RETURN(const std::string alias, alias_of(item, ""));
    return bind_subquery(*item.child("subquery"), alias);
  }
  if (item.is("RangeFunction")) {
    return fault(item, "a function in FROM is not supported yet in a query",
                 "make a view of the windows and query that");
  }
  return not_supported(item, item.kind);
}

absl::StatusOr<QueryFrom> QueryBinder::bind_table(const Node& table) {
  KAPPA_RETURN_IF_ERROR(
      expect_only(table, {{"relname"}, {"inh", "true"}, {"relpersistence", "p"}, {"alias"}}));
  const std::string name(table.text("relname"));
  KAPPA_ASSIGN_OR_RETURN(const std::string alias, alias_of(table, name));
  if (const auto common = common_tables_.find(name); common != common_tables_.end()) {
    return bind_common_table(common->second, alias);
  }
  QueryFrom from;
  from.kind = QueryFrom::Kind::kView;
  KAPPA_ASSIGN_OR_RETURN(from.view, find_view(name, table.offset));
  const operators::Schema& schema = plan_.node(from.view).schema;
  const int hidden = std::get<operators::ViewNode>(plan_.node(from.view).op).hidden;
  const size_t in_star = schema.size() - static_cast<size_t>(hidden);
  for (size_t i = 0; i < schema.size(); ++i) {
    from.scope.add({.relation = alias,
                    .name = schema[i].name,
                    .type = schema[i].type,
                    .in_star = i < in_star});
  }
  views_.insert(from.view);
  return from;
}

absl::StatusOr<operators::NodeId> QueryBinder::find_view(const std::string& name,
                                                         size_t offset) const {
  const operators::NodeId view = plan_.find_view(name);
  if (view == operators::kNoNode) return no_such_view(offset, name);
  return view;
}

absl::Status QueryBinder::no_such_view(size_t offset, const std::string& name) const {
  for (const schemas::Source& source : plan_.sources) {
    if (source.name != name) continue;
    return fault(
        offset, absl::StrCat("\"", name, "\" is a topic: queries read views"),
        absl::StrCat("keep its rows with CREATE MATERIALIZED VIEW v AS SELECT … FROM ", name));
  }
  std::vector<std::string> names;
  for (operators::NodeId id : plan_.views()) {
    names.push_back(std::get<operators::ViewNode>(plan_.node(id).op).name);
  }
  return fault(offset, absl::StrCat("view \"", name, "\" does not exist"), suggestion(name, names));
}

absl::StatusOr<QueryFrom> QueryBinder::bind_subquery(const Node& query, const std::string& alias) {
  KAPPA_ASSIGN_OR_RETURN(auto rows, compile(query));
  QueryFrom from;
  from.kind = QueryFrom::Kind::kRows;
  for (const operators::Field& field : rows->schema) {
    from.scope.add({alias, field.name, field.type});
  }
  from.rows = std::move(rows);
  return from;
}

absl::StatusOr<QueryFrom> QueryBinder::bind_common_table(const CommonTable& table,
                                                         const std::string& alias) {
  CommonTables here = std::move(common_tables_);
  common_tables_ = *table.visible;
  auto from = bind_subquery(*table.query, alias);
  common_tables_ = std::move(here);
  return from;
}

absl::StatusOr<QueryFrom> QueryBinder::bind_join(const Node& join) {
  KAPPA_RETURN_IF_ERROR(refuse_join_words(join));
  const std::string_view type = join.text("jointype");
  if (type != "JOIN_INNER" && type != "JOIN_LEFT") {
    return not_supported(join, absl::StrCat("JoinExpr.jointype=", std::string(type)));
  }
  KAPPA_RETURN_IF_ERROR(expect_only(join, {{"jointype"}, {"larg"}, {"rarg"}, {"quals"}}));
  KAPPA_ASSIGN_OR_RETURN(QueryFrom left, bind_from_item(*join.child("larg")));
  KAPPA_ASSIGN_OR_RETURN(QueryFrom right, bind_from_item(*join.child("rarg")));
  KAPPA_RETURN_IF_ERROR(check_aliases(left.scope, right.scope, *join.child("rarg")));
  QueryFrom from;
  from.kind = QueryFrom::Kind::kJoin;
  from.keeps_left = type == "JOIN_LEFT";
  for (const Scope::Column& column : left.scope.columns()) from.scope.add(column);
  for (const Scope::Column& column : right.scope.columns()) from.scope.add(column);
  from.left = std::make_unique<QueryFrom>(std::move(left));
  from.right = std::make_unique<QueryFrom>(std::move(right));
  const Node* condition = join.child("quals");
  if (!condition) {
    return fault(*join.child("rarg"), "a join without a condition is not supported yet",
                 "write JOIN … ON a.x = b.x");
  }
  KAPPA_RETURN_IF_ERROR(bind_on(*condition, from));
  return from;
}

absl::Status QueryBinder::bind_on(const Node& condition, QueryFrom& join) const {
  KAPPA_ASSIGN_OR_RETURN(
      JoinCondition on, bind_join_condition(condition, text_, join.scope, join.left->scope.size()));
  if (join.keeps_left && !on.residuals.empty()) {
    return fault(text_.offset(on.residuals.front()->position),
                 "LEFT JOIN takes equalities and conditions on its right side only, so far",
                 "filter the left side in a subquery before joining");
  }
  if (on.equalities.empty()) return needs_equality(condition);
  join.equalities = std::move(on.equalities);
  join.right_filter = on.right_filter;
  join.residual = all_of(std::move(on.residuals));
  return absl::OkStatus();
}

}  // namespace kappa::sql
