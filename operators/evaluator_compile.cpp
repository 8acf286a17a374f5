#include <utility>

#include "operators/cast.h"
#include "operators/evaluator_node.h"

// From a bound expression to a tree of nodes.
namespace kappa::operators {
namespace {

std::vector<EvalNodeRef> compile_args(const Expr& expr) {
  std::vector<EvalNodeRef> args;
  for (const ExprRef& arg : expr.args) args.push_back(compile(*arg));
  return args;
}

// A cast of an integer to the numeric that holds it exactly: kernels that read integers leave it
// out.
bool is_plain_widening(const Expr& expr) {
  if (expr.kind != ExprKind::kCast || expr.type.id != TypeId::kNumeric || expr.type.scale != 0) {
    return false;
  }
  const TypeId from = expr.args[0]->type.id;
  return (from == TypeId::kInteger && expr.type.precision >= 10) ||
         (from == TypeId::kBigint && expr.type.precision >= 19);
}

EvalNodeRef compile_call(const Expr& expr) {
  KAPPA_INVARIANT(expr.function != nullptr && expr.function->kernel != nullptr,
                  "a call has a function");
  std::vector<EvalNodeRef> args;
  for (const ExprRef& arg : expr.args) {
    const bool skip = expr.function->reads_integers && is_plain_widening(*arg);
    args.push_back(compile(skip ? *arg->args[0] : *arg));
  }
  return make_call_node(expr.type, expr.position, expr.function, expr.function->kernel, false,
                        std::move(args));
}

EvalNodeRef compile_cast(const Expr& expr) {
  const Type& from = expr.args[0]->type;
  std::vector<EvalNodeRef> args = compile_args(expr);
  if (from == expr.type) return std::move(args[0]);
  return make_call_node(expr.type, expr.position, nullptr, cast_kernel(from, expr.type),
                        expr.lenient, std::move(args));
}

EvalNodeRef compile_unfolded(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kColumn:
      return make_column_node(expr);
    case ExprKind::kConstant:
      return make_constant_node(expr.constant, expr.position);
    case ExprKind::kCall:
      return compile_call(expr);
    case ExprKind::kCast:
      return compile_cast(expr);
    case ExprKind::kCase:
      return make_case_node(expr.type, expr.position, compile_args(expr));
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return make_logic_node(expr.position, expr.kind == ExprKind::kAnd, compile_args(expr));
    case ExprKind::kNot:
      return make_not_node(expr.position, compile(*expr.args[0]));
    case ExprKind::kIsNull:
      return make_is_null_node(expr.position, compile(*expr.args[0]));
    case ExprKind::kCoalesce:
      return make_coalesce_node(expr.type, expr.position, compile_args(expr));
    case ExprKind::kPredict:
      return make_predict_node(expr.position, expr.model, compile_args(expr));
  }
  invariant_failed("kind", "unknown kind of expression", __FILE__, __LINE__);
}

bool has_columns(const Expr& expr) {
  if (expr.kind == ExprKind::kColumn) return true;
  for (const ExprRef& arg : expr.args) {
    if (has_columns(*arg)) return true;
  }
  return false;
}

// Functions are pure, so what has no columns is computed once, here, on one row. Its constants are
// columns of that row, so that kernels never meet constants alone.
EvalNodeRef fold(const Expr& expr, EvalNodeRef node) {
  Arena arena;
  ErrorSink errors;
  const std::vector<ColumnRef> no_columns;
  EvalContext context{no_columns, 1, arena, errors};
  Column out(expr.type, 1);
  node->compute(context, Selection::all(1), out);
  if (!errors.errors().empty()) {
    return make_failure_node(expr.type, std::move(errors.errors().front()));
  }
  return make_constant_node(value_at(out, 0), expr.position);
}

}  // namespace

EvalNodeRef compile(const Expr& expr) {
  EvalNodeRef node = compile_unfolded(expr);
  if (expr.kind == ExprKind::kConstant || has_columns(expr)) return node;
  return fold(expr, std::move(node));
}

}  // namespace kappa::operators
