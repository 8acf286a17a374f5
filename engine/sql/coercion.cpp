#include "engine/sql/coercion.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"
#include "operators/evaluator.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;
using operators::SqlPosition;

namespace {

bool is_constant(const ExprRef& expr) {
  return expr->kind == ExprKind::kConstant;
}

ExprRef null_of(const Type& type, SqlPosition position) {
  return operators::constant_expr(Value::null(type), position);
}

absl::StatusOr<ExprRef> read_literal(const Operand& literal, const Type& type) {
  auto value = parse_value(type, std::get<std::string>(literal.expr->constant.data));
  if (!value.ok()) return fault(*literal.node, value.status());
  return operators::constant_expr(*std::move(value), literal.expr->position);
}

// A literal or NULL as a `type`; nullptr: the operand is neither, or has the type already.
absl::StatusOr<ExprRef> give_type(const Operand& operand, const Type& type) {
  const bool null = is_constant(operand.expr) && operand.expr->constant.is_null();
  if (null && operand.untyped()) return null_of(type, operand.expr->position);
  if (operand.literal) return read_literal(operand, type);
  if (operand.expr->type == type) return operand.expr;
  return ExprRef();
}

// What resolve_function() says behind the semicolon is advice.
absl::Status no_such_call(const Node& at, const absl::Status& status) {
  const std::string text(status.message());
  const size_t end = text.find("; ");
  if (end == std::string::npos) return fault(at, text);
  return fault(at, text.substr(0, end), text.substr(end + 2));
}

}  // namespace

ExprRef make_expr(Expr expr) {
  auto made = std::make_shared<Expr>(std::move(expr));
  if (!std::all_of(made->args.begin(), made->args.end(), is_constant)) return made;
  const auto value = operators::evaluate_constant(*made);
  // What fails is left for those rows that get there, if any do.
  return value.ok() ? operators::constant_expr(*value, made->position) : ExprRef(made);
}

ExprRef make_expr(ExprKind kind, const Type& type, SqlPosition position,
                  std::vector<ExprRef> args) {
  Expr expr;
  expr.kind = kind;
  expr.type = type;
  expr.position = position;
  expr.args = std::move(args);
  return make_expr(std::move(expr));
}

absl::StatusOr<ExprRef> coerce(const Operand& operand, const Type& type) {
  KAPPA_ASSIGN_OR_RETURN(ExprRef typed, give_type(operand, type));
  if (typed) return typed;
  if (!operators::can_cast_implicitly(operand.expr->type, type)) {
    return fault(
        *operand.node,
        absl::StrCat("expected ", to_string(type), ", found ", to_string(operand.expr->type)),
        operators::can_cast_explicitly(operand.expr->type, type)
            ? absl::StrCat("write CAST(… AS ", to_string(type), ")")
            : "");
  }
  return make_expr(ExprKind::kCast, type, operand.expr->position, {operand.expr});
}

absl::StatusOr<ExprRef> cast(const Operand& operand, const Type& type, SqlPosition position,
                             bool lenient) {
  if (!(lenient && operand.literal)) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef typed, give_type(operand, type));
    if (typed) return typed;
  }
  if (!operators::can_cast_explicitly(operand.expr->type, type)) {
    return fault(*operand.node, absl::StrCat("cannot cast ", to_string(operand.expr->type), " to ",
                                             to_string(type)));
  }
  Expr expr;
  expr.kind = ExprKind::kCast;
  expr.type = type;
  expr.position = position;
  expr.lenient = lenient;
  expr.args = {operand.expr};
  return make_expr(std::move(expr));
}

ExprRef settle(const Operand& operand) {
  if (operand.expr->type.id != TypeId::kNull) return operand.expr;
  return null_of(Type::text(), operand.expr->position);
}

absl::StatusOr<std::vector<ExprRef>> unify(const std::vector<Operand>& operands,
                                           std::string_view what) {
  Type common = Type::null();
  for (const Operand& operand : operands) {
    if (operand.untyped()) continue;
    if (common.id == TypeId::kNull) {
      common = operand.expr->type;
      continue;
    }
    const auto both = operators::common_type(common, operand.expr->type);
    if (!both.ok()) {
      return fault(*operand.node,
                   absl::StrCat(to_absl(what), " has both ", to_string(common), " and ",
                                to_string(operand.expr->type)),
                   "cast one of them to the type of the other");
    }
    common = *both;
  }
  if (common.id == TypeId::kNull) common = Type::text();
  std::vector<ExprRef> unified;
  for (const Operand& operand : operands) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef expr, coerce(operand, common));
    unified.push_back(std::move(expr));
  }
  return unified;
}

absl::StatusOr<ExprRef> make_call(const Node& at, SqlPosition position, std::string_view name,
                                  const std::vector<Operand>& operands) {
  std::vector<Type> types;
  std::vector<bool> literals;
  std::vector<const Value*> constants;
  for (const Operand& operand : operands) {
    types.push_back(operand.expr->type);
    literals.push_back(operand.literal);
    constants.push_back(is_constant(operand.expr) ? &operand.expr->constant : nullptr);
  }
  const auto resolved = operators::resolve_function(name, types, literals, constants);
  if (!resolved.ok()) return no_such_call(at, resolved.status());
  Expr call;
  call.kind = ExprKind::kCall;
  call.type = resolved->result;
  call.position = position;
  call.function = resolved->function;
  for (size_t i = 0; i < operands.size(); ++i) {
    // What a parameter of any type takes, it takes as text.
    const std::vector<Type>& parameters = resolved->function->args;
    const bool any = parameters[std::min(i, parameters.size() - 1)].id == TypeId::kNull;
    KAPPA_ASSIGN_OR_RETURN(ExprRef argument, any ? cast(operands[i], resolved->arg_types[i],
                                                        operands[i].expr->position, false)
                                                 : coerce(operands[i], resolved->arg_types[i]));
    call.args.push_back(std::move(argument));
  }
  return make_expr(std::move(call));
}

}  // namespace kappa::sql
