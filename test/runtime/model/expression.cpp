#include "test/runtime/model/expression.h"

#include <cmath>
#include <limits>

namespace kappa::model {
namespace {

std::optional<Value> arithmetic(Op op, Type type, const Value& left, const Value& right) {
  const int128 a = integer_of(left);
  const int128 b = integer_of(right);
  int128 result = 0;
  switch (op) {
    case Op::kAdd:
      result = a + b;
      break;
    case Op::kSubtract:
      result = a - b;
      break;
    case Op::kMultiply:
      result = a * b;
      break;
    default:
      if (b == 0) return std::nullopt;
      result = a / b;
      break;
  }
  if (type.id == TypeId::kNumeric) return numeric_value(type, result);
  if (result < std::numeric_limits<int64_t>::min() || result > std::numeric_limits<int64_t>::max())
    return std::nullopt;
  return Value::bigint(static_cast<int64_t>(result));
}

int compare(const Value& a, const Value& b) {
  if (a.type.id == TypeId::kDouble) {
    const double x = std::get<double>(a.data);
    const double y = std::get<double>(b.data);
    // NaN equals NaN, and is greater than everything else.
    if (std::isnan(x) || std::isnan(y)) {
      return static_cast<int>(std::isnan(x)) - static_cast<int>(std::isnan(y));
    }
    return x < y ? -1 : (y < x ? 1 : 0);
  }
  if (a.type.id == TypeId::kText) {
    return std::get<std::string>(a.data).compare(std::get<std::string>(b.data));
  }
  if (a.type.id == TypeId::kBoolean) {
    return static_cast<int>(std::get<bool>(a.data)) - static_cast<int>(std::get<bool>(b.data));
  }
  const int128 x = integer_of(a);
  const int128 y = integer_of(b);
  return x < y ? -1 : (y < x ? 1 : 0);
}

bool holds(Op op, int order) {
  switch (op) {
    case Op::kEqual:
      return order == 0;
    case Op::kNotEqual:
      return order != 0;
    case Op::kLess:
      return order < 0;
    default:
      return order <= 0;
  }
}

int64_t characters(const std::string& text) {
  int64_t count = 0;
  for (const char byte : text) count += (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
  return count;
}

// AND and OR look at their right side only if the left one leaves it open.
std::optional<Value> logic(const Expr& expr, const Row& row) {
  const bool decisive = expr.op == Op::kOr;
  const auto left = evaluate(*expr.args[0], row);
  if (!left) return std::nullopt;
  if (!left->is_null() && std::get<bool>(left->data) == decisive) return left;
  const auto right = evaluate(*expr.args[1], row);
  if (!right) return std::nullopt;
  if (!right->is_null() && std::get<bool>(right->data) == decisive) return right;
  if (left->is_null() || right->is_null()) return Value::null(Type::boolean());
  return Value::boolean(!decisive);
}

std::optional<Value> choice(const Expr& expr, const Row& row) {
  const auto condition = evaluate(*expr.args[0], row);
  if (!condition) return std::nullopt;
  if (expr.op == Op::kCoalesce) {
    return condition->is_null() ? evaluate(*expr.args[1], row) : condition;
  }
  const bool taken = !condition->is_null() && std::get<bool>(condition->data);
  return evaluate(*expr.args[taken ? 1 : 2], row);
}

std::optional<Value> strict(const Expr& expr, const std::vector<Value>& args) {
  for (const Value& arg : args) {
    if (arg.is_null()) return Value::null(expr.type);
  }
  switch (expr.op) {
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
      return arithmetic(expr.op, expr.type, args[0], args[1]);
    case Op::kNot:
      return Value::boolean(!std::get<bool>(args[0].data));
    case Op::kConcat:
      return Value::text(std::get<std::string>(args[0].data) + std::get<std::string>(args[1].data));
    case Op::kLength:
      return Value::integer(static_cast<int32_t>(characters(std::get<std::string>(args[0].data))));
    case Op::kShift:
      return Value::timestamptz(std::get<int64_t>(args[0].data) +
                                std::get<int64_t>(expr.constant.data));
    default:
      return Value::boolean(holds(expr.op, compare(args[0], args[1])));
  }
}

const char* infix(Op op) {
  switch (op) {
    case Op::kAdd:
      return " + ";
    case Op::kSubtract:
      return " - ";
    case Op::kMultiply:
      return " * ";
    case Op::kDivide:
      return " / ";
    case Op::kEqual:
      return " = ";
    case Op::kNotEqual:
      return " <> ";
    case Op::kLess:
      return " < ";
    case Op::kLessOrEqual:
      return " <= ";
    case Op::kAnd:
      return " AND ";
    case Op::kOr:
      return " OR ";
    default:
      return " || ";
  }
}

std::string literal(const Value& value) {
  if (value.is_null()) return "CAST(NULL AS " + to_string(value.type) + ")";
  const std::string text = to_text(value);
  if (value.type.id == TypeId::kBoolean) return text;
  if (value.type.id == TypeId::kText) {
    std::string quoted = "'";
    for (const char c : text) {
      quoted += c;
      if (c == '\'') quoted += c;
    }
    return quoted + "'";
  }
  if (value.type.id == TypeId::kInteger) return text[0] == '-' ? "(" + text + ")" : text;
  return "CAST('" + text + "' AS " + to_string(value.type) + ")";
}

}  // namespace

ExprRef column(size_t index, Type type) {
  return std::make_shared<const Expr>(Expr{Op::kColumn, type, index, {}, {}});
}

ExprRef constant(Value value) {
  const Type type = value.type;
  return std::make_shared<const Expr>(Expr{Op::kConstant, type, 0, std::move(value), {}});
}

ExprRef make(Op op, Type type, std::vector<ExprRef> args) {
  return std::make_shared<const Expr>(Expr{op, type, 0, {}, std::move(args)});
}

ExprRef replace_columns(const ExprRef& expr, const std::vector<ExprRef>& by) {
  if (expr->op == Op::kColumn) return by[expr->column];
  Expr replaced = *expr;
  for (ExprRef& arg : replaced.args) arg = replace_columns(arg, by);
  return std::make_shared<const Expr>(std::move(replaced));
}

int128 integer_of(const Value& value) {
  if (const auto* v = std::get_if<int32_t>(&value.data)) return *v;
  if (const auto* v = std::get_if<int64_t>(&value.data)) return *v;
  return std::get<int128>(value.data);
}

Value numeric_value(Type type, int128 scaled) {
  if (type.physical() == PhysicalType::kInt64) return {type, static_cast<int64_t>(scaled)};
  return {type, scaled};
}

std::optional<Value> evaluate(const Expr& expr, const Row& row) {
  switch (expr.op) {
    case Op::kColumn:
      return row[expr.column];
    case Op::kConstant:
      return expr.constant;
    case Op::kAnd:
    case Op::kOr:
      return logic(expr, row);
    case Op::kCase:
    case Op::kCoalesce:
      return choice(expr, row);
    default:
      break;
  }
  std::vector<Value> args;
  for (const ExprRef& arg : expr.args) {
    auto value = evaluate(*arg, row);
    if (!value) return std::nullopt;
    args.push_back(*std::move(value));
  }
  if (expr.op == Op::kIsNull) return Value::boolean(args[0].is_null());
  return strict(expr, args);
}

std::string to_sql(const Expr& expr, const std::vector<std::string>& names) {
  const auto arg = [&](size_t i) { return to_sql(*expr.args[i], names); };
  switch (expr.op) {
    case Op::kColumn:
      return names[expr.column];
    case Op::kConstant:
      return literal(expr.constant);
    case Op::kNot:
      return "(NOT " + arg(0) + ")";
    case Op::kIsNull:
      return "(" + arg(0) + " IS NULL)";
    case Op::kCase:
      return "CASE WHEN " + arg(0) + " THEN " + arg(1) + " ELSE " + arg(2) + " END";
    case Op::kCoalesce:
      return "coalesce(" + arg(0) + ", " + arg(1) + ")";
    case Op::kLength:
      return "length(" + arg(0) + ")";
    default:
      return "(" + arg(0) + infix(expr.op) + arg(1) + ")";
  }
}

}  // namespace kappa::model
