#include "engine/sql/expression_tree.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;

void collect_columns(const Expr& expr, std::set<int>* columns) {
  if (expr.kind == ExprKind::kColumn) columns->insert(expr.column);
  for (const ExprRef& arg : expr.args) collect_columns(*arg, columns);
}

ExprRef replace_columns(const ExprRef& expr,
                        const std::function<ExprRef(const Expr& column)>& replace) {
  if (expr->kind == ExprKind::kColumn) return replace(*expr);
  if (expr->args.empty()) return expr;
  auto replaced = std::make_shared<Expr>(*expr);
  for (ExprRef& arg : replaced->args) arg = replace_columns(arg, replace);
  return replaced;
}

ExprRef move_columns(const ExprRef& expr, const std::function<int(int)>& map) {
  return replace_columns(expr, [&](const Expr& column) {
    return operators::column_expr(map(column.column), column.type, column.position);
  });
}

const Expr* find_column(const Expr& expr, const std::function<bool(int column)>& wanted) {
  if (expr.kind == ExprKind::kColumn) return wanted(expr.column) ? &expr : nullptr;
  for (const ExprRef& arg : expr.args) {
    if (const Expr* found = find_column(*arg, wanted)) return found;
  }
  return nullptr;
}

bool is_column(const ExprRef& expr) {
  return expr->kind == ExprKind::kColumn;
}

bool same_meaning(const ExprRef& a, const ExprRef& b) {
  return operators::describe(*a) == operators::describe(*b);
}

}  // namespace kappa::sql
