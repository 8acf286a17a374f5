#pragma once

#include <functional>
#include <set>
#include <string>

#include "operators/expression.h"

namespace kappa::sql {

// The columns that an expression reads are added to `columns`.
void collect_columns(const operators::Expr& expr, std::set<int>* columns);

// The expression with each column replaced by what `replace` makes of it.
operators::ExprRef replace_columns(
    const operators::ExprRef& expr,
    const std::function<operators::ExprRef(const operators::Expr& column)>& replace);

// The expression with column i become column map(i).
operators::ExprRef move_columns(const operators::ExprRef& expr, const std::function<int(int)>& map);

// The first column for which `wanted` is true, or nullptr.
const operators::Expr* find_column(const operators::Expr& expr,
                                   const std::function<bool(int column)>& wanted);

bool is_column(const operators::ExprRef& expr);
bool same_meaning(const operators::ExprRef& a, const operators::ExprRef& b);

}  // namespace kappa::sql
