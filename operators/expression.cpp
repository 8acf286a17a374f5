#include "operators/expression.h"

#include "absl/strings/str_cat.h"
#include "engine/types/invariant.h"
#include "engine/types/text.h"
#include "operators/functions.h"
#include "operators/model.h"

namespace kappa::operators {
namespace {

// In single quotes, doubled inside, so that no text can look like another expression.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

std::string describe_args(const Expr& expr) {
  std::string out = "(";
  for (size_t i = 0; i < expr.args.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", describe(*expr.args[i]));
  }
  return out + ")";
}

// A call names the overload it is bound to, since types alone decide what it does.
std::string describe_call(const Expr& expr) {
  const ScalarFunction& function = *expr.function;
  std::string signature;
  for (const Type& type : function.args) {
    const bool any_precision = type.id == TypeId::kNumeric;
    absl::StrAppend(&signature, signature.empty() ? "" : ",",
                    any_precision              ? "numeric"
                    : type.id == TypeId::kNull ? "any"
                                               : to_string(type));
  }
  return absl::StrCat("\"", function.name, "\"<", signature, function.variadic ? ",..." : "", ":",
                      to_string(expr.type), ">", describe_args(expr));
}

const char* form_name(ExprKind kind) {
  switch (kind) {
    case ExprKind::kCase:
      return "case";
    case ExprKind::kAnd:
      return "and";
    case ExprKind::kOr:
      return "or";
    case ExprKind::kNot:
      return "not";
    case ExprKind::kIsNull:
      return "is_null";
    case ExprKind::kCoalesce:
      return "coalesce";
    default:
      return "?";
  }
}

}  // namespace

ExprRef column_expr(int column, Type type, SqlPosition position) {
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kColumn;
  expr->type = type;
  expr->position = position;
  expr->column = column;
  return expr;
}

ExprRef constant_expr(Value value, SqlPosition position) {
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kConstant;
  expr->type = value.type;
  expr->position = position;
  expr->constant = std::move(value);
  return expr;
}

std::string describe(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kColumn:
      return absl::StrCat("#", expr.column, "::", to_string(expr.type));
    case ExprKind::kConstant:
      if (expr.constant.is_null()) return absl::StrCat("NULL::", to_string(expr.type));
      return absl::StrCat(quoted(to_text(expr.constant)), "::", to_string(expr.type));
    case ExprKind::kCast:
      return absl::StrCat(expr.lenient ? "try_cast" : "cast", describe_args(expr),
                          "::", to_string(expr.type));
    case ExprKind::kCall:
      KAPPA_INVARIANT(expr.function != nullptr, "a call has a function");
      return describe_call(expr);
    case ExprKind::kPredict:
      return absl::StrCat("predict<", expr.model->facts().digest, ">", describe_args(expr));
    default:
      return absl::StrCat(form_name(expr.kind), describe_args(expr), "::", to_string(expr.type));
  }
}

}  // namespace kappa::operators
