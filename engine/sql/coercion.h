#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "operators/expression.h"

namespace kappa::sql {

// An expression on its way into another. A literal is a text in quotes that has not found its type
// yet: what stands around it decides; so it does for a bare NULL, whose type is kNull.
struct Operand {
  operators::ExprRef expr;
  const Node* node = nullptr;  // where it stands
  bool literal = false;

  bool untyped() const { return literal || expr->type.id == TypeId::kNull; }
};

// An expression other than a column or a constant. If all its arguments are constants and it does
// not fail, it is folded into one.
operators::ExprRef make_expr(operators::Expr expr);
operators::ExprRef make_expr(operators::ExprKind kind, const Type& type,
                             operators::SqlPosition position, std::vector<operators::ExprRef> args);

// The operand as a `type`: implicitly, which refuses what an implicit cast may not do, or as an
// explicit cast would.
absl::StatusOr<operators::ExprRef> coerce(const Operand& operand, const Type& type);
absl::StatusOr<operators::ExprRef> cast(const Operand& operand, const Type& type,
                                        operators::SqlPosition position, bool lenient = false);
// The operand with a type of its own: a literal or NULL that nothing gave a type is text.
operators::ExprRef settle(const Operand& operand);

// All operands cast to the type they have in common. `what` names it in faults: "CASE".
absl::StatusOr<std::vector<operators::ExprRef>> unify(const std::vector<Operand>& operands,
                                                      std::string_view what);

// The call of a function or operator, its arguments cast to what it takes.
absl::StatusOr<operators::ExprRef> make_call(const Node& at, operators::SqlPosition position,
                                             std::string_view name,
                                             const std::vector<Operand>& operands);

}  // namespace kappa::sql
