#include "engine/sql/query_from.h"

#include <numeric>

#include "engine/sql/expression_tree.h"
#include "engine/types/invariant.h"

namespace kappa::sql {

using operators::ExprRef;

namespace {

ExprRef moved(const ExprRef& expr, const std::map<int, int>& at) {
  return move_columns(expr, [&](int column) { return at.at(column); });
}

FromRows scan(const QueryFrom& from, const std::set<int>& needed) {
  FromRows rows;
  ViewScan scan{from.view, {needed.begin(), needed.end()}, std::nullopt};
  operators::Schema schema;
  for (int column : needed) {
    rows.at[column] = static_cast<int>(schema.size());
    schema.push_back({from.scope.column(column).name, from.scope.column(column).type});
  }
  rows.node = make_query_node(std::move(scan), std::move(schema));
  return rows;
}

FromRows all_columns(std::unique_ptr<QueryNode> node) {
  FromRows rows;
  for (int i = 0; i < static_cast<int>(node->schema.size()); ++i) rows.at[i] = i;
  rows.node = std::move(node);
  return rows;
}

void add_filter(FromRows& rows, const ExprRef& predicate) {
  if (!predicate) return;
  operators::Schema schema = rows.node->schema;
  rows.node = make_query_node(QueryFilter{moved(predicate, rows.at)}, std::move(schema),
                              std::move(rows.node));
}

// The columns of the join keys on one side; those that are no plain columns are computed behind the
// others.
std::vector<int> add_keys(FromRows& rows, const std::vector<ExprRef>& keys) {
  std::vector<ExprRef> exprs;
  operators::Schema schema = rows.node->schema;
  for (const operators::Field& field : schema) {
    exprs.push_back(operators::column_expr(static_cast<int>(exprs.size()), field.type));
  }
  const size_t width = exprs.size();
  std::vector<int> columns;
  for (const ExprRef& key : keys) {
    ExprRef expr = moved(key, rows.at);
    if (is_column(expr)) {
      columns.push_back(expr->column);
      continue;
    }
    columns.push_back(static_cast<int>(exprs.size()));
    schema.push_back({"join_key", expr->type});
    exprs.push_back(std::move(expr));
  }
  if (exprs.size() > width) {
    rows.node =
        make_query_node(QueryProject{std::move(exprs)}, std::move(schema), std::move(rows.node));
  }
  return columns;
}

FromRows join(QueryFrom from, const std::set<int>& needed) {
  const int left_width = from.left->scope.size();
  std::set<int> wanted = needed;
  if (from.residual) collect_columns(*from.residual, &wanted);
  std::set<int> left_needed;
  std::set<int> right_needed;
  for (int column : wanted) {
    if (column < left_width) left_needed.insert(column);
    if (column >= left_width) right_needed.insert(column - left_width);
  }
  std::vector<ExprRef> left_keys;
  std::vector<ExprRef> right_keys;
  for (const auto& [left, right] : from.equalities) {
    collect_columns(*left, &left_needed);
    collect_columns(*right, &right_needed);
    left_keys.push_back(left);
    right_keys.push_back(right);
  }
  if (from.right_filter) collect_columns(*from.right_filter, &right_needed);

  FromRows left = build_from(std::move(*from.left), left_needed);
  FromRows right = build_from(std::move(*from.right), right_needed);
  add_filter(right, from.right_filter);
  QueryJoin op{from.keeps_left, add_keys(left, left_keys), add_keys(right, right_keys)};

  FromRows rows;
  const auto shift = static_cast<int>(left.node->schema.size());
  for (const auto& [column, at] : left.at) rows.at[column] = at;
  for (const auto& [column, at] : right.at) rows.at[left_width + column] = shift + at;
  operators::Schema schema = left.node->schema;
  schema.insert(schema.end(), right.node->schema.begin(), right.node->schema.end());
  rows.node = make_query_node(std::move(op), std::move(schema), std::move(left.node));
  rows.node->inputs.push_back(std::move(right.node));
  add_filter(rows, from.residual);
  return rows;
}

}  // namespace

std::unique_ptr<QueryNode> make_query_node(decltype(QueryNode::op) op, operators::Schema schema,
                                           std::unique_ptr<QueryNode> input) {
  auto node = std::make_unique<QueryNode>();
  node->op = std::move(op);
  node->schema = std::move(schema);
  if (input) node->inputs.push_back(std::move(input));
  return node;
}

FromRows build_from(QueryFrom from, const std::set<int>& needed) {
  switch (from.kind) {
    case QueryFrom::Kind::kNothing:
      return {make_query_node(QuerySingleRow{}, {}), {}};
    case QueryFrom::Kind::kView:
      return scan(from, needed);
    case QueryFrom::Kind::kRows:
      return all_columns(std::move(from.rows));
    case QueryFrom::Kind::kJoin:
      return join(std::move(from), needed);
  }
  KAPPA_INVARIANT(false, "unknown kind of FROM");
}

}  // namespace kappa::sql
