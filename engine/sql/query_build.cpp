#include "engine/sql/expression_tree.h"
#include "engine/sql/point_key.h"
#include "engine/sql/query_binder.h"

namespace kappa::sql {

using operators::ExprRef;

namespace {

operators::Schema schema_of(const std::vector<OutputColumn>& outputs, size_t count) {
  operators::Schema schema;
  for (size_t i = 0; i < count; ++i) {
    schema.push_back({outputs[i].name, outputs[i].expr->type});
  }
  return schema;
}

// What the SELECT reads of FROM's columns.
std::set<int> columns_read(const BoundSelect& bound) {
  std::set<int> columns;
  const auto read = [&](const ExprRef& expr) {
    if (expr) collect_columns(*expr, &columns);
  };
  read(bound.where);
  for (const GroupColumn& group : bound.groups) read(group.expr);
  for (const AggregateExpr& aggregate : bound.aggregates) {
    read(aggregate.argument);
    read(aggregate.filter);
    read(aggregate.by);
  }
  if (bound.grouped) return columns;
  for (const OutputColumn& output : bound.outputs) read(output.expr);
  return columns;
}

std::unique_ptr<QueryNode> filter(std::unique_ptr<QueryNode> input, ExprRef predicate) {
  operators::Schema schema = input->schema;
  return make_query_node(QueryFilter{std::move(predicate)}, std::move(schema), std::move(input));
}

// Groups and aggregates: a projection to what they read, and the Aggregate, whose schema is the
// grouped row.
std::unique_ptr<QueryNode> aggregate(FromRows rows, const BoundSelect& bound) {
  std::vector<ExprRef> exprs;
  operators::Schema schema;
  const auto add = [&](const ExprRef& expr) {
    ExprRef moved = move_columns(expr, [&](int column) { return rows.at.at(column); });
    for (size_t i = 0; i < exprs.size(); ++i) {
      if (same_meaning(exprs[i], moved)) return static_cast<int>(i);
    }
    schema.push_back({"argument", moved->type});
    exprs.push_back(std::move(moved));
    return static_cast<int>(exprs.size()) - 1;
  };
  operators::AggregateNode op;
  operators::Schema grouped;
  for (const GroupColumn& group : bound.groups) {
    op.groups.push_back(add(group.expr));
    grouped.push_back({group.name, group.expr->type});
  }
  for (const AggregateExpr& call : bound.aggregates) {
    op.calls.push_back({.kind = call.kind,
                        .argument = call.argument ? add(call.argument) : -1,
                        .filter = call.filter ? add(call.filter) : -1,
                        .result = call.result,
                        .position = call.position,
                        .by = call.by ? add(call.by) : -1,
                        .half_life_us = call.half_life_us,
                        .quantile = call.quantile});
    grouped.push_back({std::string(operators::aggregate_name(call.kind)), call.result});
  }
  auto projected =
      make_query_node(QueryProject{std::move(exprs)}, std::move(schema), std::move(rows.node));
  return make_query_node(QueryAggregate{std::move(op)}, std::move(grouped), std::move(projected));
}

}  // namespace

std::unique_ptr<QueryNode> QueryBinder::build_select(QueryExpression& expression) const {
  BoundSelect& bound = expression.bound;
  const QueryFrom::Kind kind = expression.from->kind;
  const operators::NodeId view = expression.from->view;
  FromRows rows = build_from(std::move(*expression.from), columns_read(bound));
  const auto moved = [&](const ExprRef& expr) {
    return move_columns(expr, [&](int column) { return rows.at.at(column); });
  };
  if (bound.where) {
    if (kind == QueryFrom::Kind::kView) {
      const auto& key = std::get<operators::ViewNode>(plan_.node(view).op).key;
      std::vector<Type> types;
      types.reserve(key.size());
      for (int column : key) {
        types.push_back(plan_.node(view).schema[static_cast<size_t>(column)].type);
      }
      std::get<ViewScan>(rows.node->op).point_key = pinned_key(*bound.where, key, types);
    }
    rows.node = filter(std::move(rows.node), moved(bound.where));
  }
  std::vector<ExprRef> exprs;
  for (const OutputColumn& output : bound.outputs) {
    exprs.push_back(bound.grouped ? output.expr : moved(output.expr));
  }
  std::unique_ptr<QueryNode> node;
  if (bound.grouped) {
    node = aggregate(std::move(rows), bound);
    if (bound.having) node = filter(std::move(node), bound.having);
  } else {
    node = std::move(rows.node);
  }
  return make_query_node(QueryProject{std::move(exprs)},
                         schema_of(bound.outputs, bound.outputs.size()), std::move(node));
}

std::unique_ptr<QueryNode> QueryBinder::build(QueryExpression expression) const {
  const operators::Schema schema = schema_of(expression.outputs(), expression.visible);
  const size_t width = expression.left ? expression.visible : expression.bound.outputs.size();
  std::unique_ptr<QueryNode> node;
  if (expression.left) {
    node = make_query_node(QueryUnionAll{}, schema, build(std::move(*expression.left)));
    node->inputs.push_back(build(std::move(*expression.right)));
  } else {
    node = build_select(expression);
  }
  const auto over = [&](decltype(QueryNode::op) op) {
    operators::Schema same = node->schema;
    node = make_query_node(std::move(op), std::move(same), std::move(node));
  };
  if (expression.distinct) over(QueryDistinct{});
  if (!expression.order.empty()) over(QuerySort{expression.order});
  if (expression.limit) over(*expression.limit);
  if (width > expression.visible) {
    std::vector<ExprRef> shown;
    for (size_t i = 0; i < expression.visible; ++i) {
      shown.push_back(operators::column_expr(static_cast<int>(i), schema[i].type));
    }
    node = make_query_node(QueryProject{std::move(shown)}, schema, std::move(node));
  }
  return node;
}

}  // namespace kappa::sql
