#include "test/operators/expressions.h"

#include <functional>
#include <memory>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"

namespace kappa::operators {
namespace {

Type literal_type(const ExprRef& arg) {
  return arg->type;
}

std::string cell(const Column& column, size_t row) {
  return to_text(value_at(column, row));
}

// A value under a null must be zero, or hashes and dumps would differ.
void check_nulls_are_zero(const Column& column) {
  if (!column.has_nulls()) return;
  dispatch_physical(column.type().physical(), [&]<typename T>() {
    for (size_t row = 0; row < column.rows(); ++row) {
      if (column.is_null(row)) REQUIRE(column.values<T>()[row] == T{});
    }
  });
}

using Build = std::function<ExprRef(std::vector<ExprRef>)>;

// Rows 0, 2 and 4 hold the arguments; in row 1 all are null, in row 3 the first.
std::vector<Row> rows_around(const std::vector<Value>& args) {
  Row nulls;
  for (const Value& arg : args) nulls.push_back(Value::null(arg.type));
  Row first_null = args;
  first_null[0] = Value::null(args[0].type);
  return {args, nulls, args, first_null, args};
}

void check_as_columns(const Build& build, const std::vector<Value>& args, uint32_t columns,
                      const std::string& expected) {
  std::vector<Type> types;
  std::vector<ExprRef> exprs;
  for (size_t i = 0; i < args.size(); ++i) {
    types.push_back(args[i].type);
    const bool is_column = (columns >> i & 1) != 0;
    exprs.push_back(is_column ? column_expr(static_cast<int>(i), args[i].type)
                              : constant_expr(args[i]));
  }
  Arena arena;
  const Batch batch = batch_of(types, rows_around(args), arena);
  const ExprRef expr = build(exprs);
  INFO(describe(*expr));
  const std::vector<std::string> all = run(expr, batch);
  CHECK(all[0] == expected);
  CHECK(all[2] == expected);
  CHECK(all[4] == expected);
  // Held back from all rows but 2 and 4 by a condition on the row.
  Batch numbered = batch;
  const std::vector<Row> numbers = {{Value::integer(0)},
                                    {Value::integer(1)},
                                    {Value::integer(2)},
                                    {Value::integer(3)},
                                    {Value::integer(4)}};
  numbered.columns.push_back(batch_of({Type::integer()}, numbers, arena).columns[0]);
  const ExprRef number = column_expr(static_cast<int>(args.size()), Type::integer());
  const ExprRef wanted = form(ExprKind::kOr, Type::boolean(),
                              {call("=", {number, constant_expr(Value::integer(2))}),
                               call("=", {number, constant_expr(Value::integer(4))})});
  const ExprRef some =
      form(ExprKind::kCase, expr->type, {wanted, expr, constant_expr(Value::null(expr->type))});
  const std::vector<std::string> chosen = run(some, numbered);
  CHECK(chosen == std::vector<std::string>{"NULL", "NULL", expected, "NULL", expected});
}

std::string result_in_every_way(const Build& build, const std::vector<Value>& args) {
  std::vector<ExprRef> constants;
  for (const Value& arg : args) constants.push_back(constant_expr(arg));
  const ExprRef expr = build(constants);
  const absl::StatusOr<Value> folded = evaluate_constant(*expr);
  const std::string expected =
      folded.ok() ? to_text(*folded) : absl::StrCat("error: ", folded.status().message());
  if (folded.ok()) CHECK(folded->type == expr->type);
  for (uint32_t columns = 1; columns < 1u << args.size(); ++columns) {
    check_as_columns(build, args, columns, expected);
  }
  return expected;
}

}  // namespace

Value value_of(Type type, std::string_view text) {
  if (text == "NULL") return Value::null(type);
  const absl::StatusOr<Value> value = parse_value(type, text);
  INFO(text);
  REQUIRE(value.ok());
  return *value;
}

ExprRef call(std::string_view name, std::vector<ExprRef> args, SqlPosition position,
             bool literals) {
  std::vector<Type> types;
  std::vector<bool> untyped;
  std::vector<const Value*> constants;
  for (const ExprRef& arg : args) {
    types.push_back(literal_type(arg));
    untyped.push_back(literals && arg->kind == ExprKind::kConstant &&
                      arg->type.id == TypeId::kText);
    constants.push_back(arg->kind == ExprKind::kConstant ? &arg->constant : nullptr);
  }
  const absl::StatusOr<ResolvedCall> resolved_call =
      resolve_function(name, types, untyped, constants);
  INFO(name << ": " << resolved_call.status().message());
  REQUIRE(resolved_call.ok());
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kCall;
  expr->type = resolved_call->result;
  expr->position = position;
  expr->function = resolved_call->function;
  for (size_t i = 0; i < args.size(); ++i) {
    expr->args.push_back(cast_to(args[i], resolved_call->arg_types[i]));
  }
  return expr;
}

ExprRef cast_to(ExprRef arg, Type type, bool lenient, SqlPosition position) {
  if (arg->type == type) return arg;
  auto expr = std::make_shared<Expr>();
  expr->kind = ExprKind::kCast;
  expr->type = type;
  expr->lenient = lenient;
  expr->position = position;
  expr->args.push_back(std::move(arg));
  return expr;
}

ExprRef form(ExprKind kind, Type type, std::vector<ExprRef> args) {
  auto expr = std::make_shared<Expr>();
  expr->kind = kind;
  expr->type = type;
  expr->args = std::move(args);
  return expr;
}

Batch batch_of(const std::vector<Type>& types, const std::vector<Row>& rows, Arena& arena) {
  Batch batch;
  batch.rows = rows.size();
  for (size_t i = 0; i < types.size(); ++i) {
    auto column = std::make_shared<Column>(types[i]);
    for (const Row& row : rows) append_value(*column, row[i], arena);
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

std::vector<std::string> run(const ExprRef& expr, const Batch& batch) {
  const Evaluator evaluator(expr);
  Arena arena;
  std::vector<RowError> errors;
  const ColumnRef column = evaluator.evaluate(batch, arena, &errors);
  REQUIRE(column->rows() == batch.rows);
  REQUIRE(column->type() == expr->type);
  check_nulls_are_zero(*column);
  std::vector<std::string> cells;
  for (size_t row = 0; row < batch.rows; ++row) cells.push_back(cell(*column, row));
  for (const RowError& error : errors) {
    REQUIRE(cells[error.row] == "NULL");
    cells[error.row] = "error: " + error.message;
  }
  return cells;
}

std::string result_of(std::string_view name, const std::vector<Value>& args) {
  return result_in_every_way(
      [name](std::vector<ExprRef> exprs) {
        // Constants are not shown to the resolver, so that the type stays the same in every way.
        std::vector<Type> types;
        for (const ExprRef& expr : exprs) types.push_back(expr->type);
        const absl::StatusOr<ResolvedCall> found = resolve_function(name, types, {});
        INFO(name << ": " << found.status().message());
        REQUIRE(found.ok());
        auto expr = std::make_shared<Expr>();
        expr->kind = ExprKind::kCall;
        expr->type = found->result;
        expr->function = found->function;
        for (size_t i = 0; i < exprs.size(); ++i) {
          expr->args.push_back(cast_to(exprs[i], found->arg_types[i]));
        }
        return expr;
      },
      args);
}

std::string typed_result_of(std::string_view name, const std::vector<Value>& args) {
  std::vector<Type> types;
  for (const Value& arg : args) types.push_back(arg.type);
  const absl::StatusOr<ResolvedCall> found = resolve_function(name, types, {});
  REQUIRE(found.ok());
  return absl::StrCat(result_of(name, args), " ", to_string(found->result));
}

std::string cast_result_of(const Value& value, Type type, bool lenient) {
  return result_in_every_way(
      [=](std::vector<ExprRef> exprs) { return cast_to(exprs[0], type, lenient); }, {value});
}

std::string resolve_error(std::string_view name, const std::vector<Type>& args,
                          const std::vector<bool>& literals) {
  const absl::StatusOr<ResolvedCall> found = resolve_function(name, args, literals);
  REQUIRE_FALSE(found.ok());
  return std::string(found.status().message());
}

std::string resolved(std::string_view name, const std::vector<Type>& args,
                     const std::vector<bool>& literals) {
  const absl::StatusOr<ResolvedCall> found = resolve_function(name, args, literals);
  INFO(name << ": " << found.status().message());
  REQUIRE(found.ok());
  std::string out = to_string(found->result);
  for (size_t i = 0; i < found->arg_types.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? " <- " : ", ", to_string(found->arg_types[i]));
  }
  return out;
}

}  // namespace kappa::operators
