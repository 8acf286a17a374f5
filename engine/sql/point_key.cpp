#include "engine/sql/point_key.h"

#include <algorithm>

#include "operators/evaluator.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;

namespace {

// Casts between these keep different values different, so a value can be taken back through them.
bool is_exact_number(const Type& type) {
  return type.is_integer() || type.id == TypeId::kNumeric;
}

// The column that a side of a comparison stands for, or -1.
int pinned_column(const Expr& side) {
  if (side.kind == ExprKind::kColumn) return side.column;
  const bool exact = side.kind == ExprKind::kCast && is_exact_number(side.type) &&
                     side.args[0]->kind == ExprKind::kColumn &&
                     is_exact_number(side.args[0]->type) &&
                     operators::can_cast_implicitly(side.args[0]->type, side.type);
  return exact ? side.args[0]->column : -1;
}

// The constant in the column's type. Where that rounds it, no row equals it, and the predicate will
// find that out.
std::optional<Value> as_type(const ExprRef& constant, const Type& type) {
  if (constant->kind != ExprKind::kConstant || constant->constant.is_null()) return std::nullopt;
  if (constant->type == type) return constant->constant;
  if (!is_exact_number(constant->type) || !is_exact_number(type)) return std::nullopt;
  Expr cast;
  cast.kind = ExprKind::kCast;
  cast.type = type;
  cast.args = {constant};
  auto value = operators::evaluate_constant(cast);
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

void pin(const Expr& predicate, const std::vector<int>& key, const std::vector<Type>& types,
         std::vector<std::optional<Value>>* pinned) {
  if (predicate.kind == ExprKind::kAnd) {
    for (const ExprRef& arg : predicate.args) pin(*arg, key, types, pinned);
    return;
  }
  if (predicate.kind != ExprKind::kCall || predicate.function->name != "=") return;
  for (size_t side = 0; side < 2; ++side) {
    const int column = pinned_column(*predicate.args[side]);
    const auto found = std::find(key.begin(), key.end(), column);
    if (column < 0 || found == key.end()) continue;
    const auto index = static_cast<size_t>(found - key.begin());
    if (!(*pinned)[index]) (*pinned)[index] = as_type(predicate.args[1 - side], types[index]);
  }
}

}  // namespace

std::optional<Row> pinned_key(const Expr& predicate, const std::vector<int>& key,
                              const std::vector<Type>& key_types) {
  if (key.empty()) return std::nullopt;
  std::vector<std::optional<Value>> pinned(key.size());
  pin(predicate, key, key_types, &pinned);
  Row row;
  for (auto& value : pinned) {
    if (!value) return std::nullopt;
    row.push_back(*std::move(value));
  }
  return row;
}

}  // namespace kappa::sql
