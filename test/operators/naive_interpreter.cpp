#include "test/operators/naive_interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "operators/functions.h"

namespace kappa::operators {
namespace {

using Values = std::vector<Value>;

Outcome ok(Value value) {
  return {std::move(value), std::nullopt, {}};
}
Outcome fail(const Type& type, std::string message, SqlPosition position) {
  return {Value::null(type), std::move(message), position};
}

int128 whole(const Value& value) {
  if (const auto* v = std::get_if<int32_t>(&value.data)) return *v;
  if (const auto* v = std::get_if<int64_t>(&value.data)) return *v;
  return std::get<int128>(value.data);
}

int scale_of(const Type& type) {
  return type.id == TypeId::kNumeric ? type.scale : 0;
}

int128 ten_to(int exponent) {
  int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

Value whole_value(const Type& type, int128 value) {
  switch (type.physical()) {
    case PhysicalType::kInt32:
      return {type, static_cast<int32_t>(value)};
    case PhysicalType::kInt64:
      return {type, static_cast<int64_t>(value)};
    default:
      return {type, value};
  }
}

// n / d, to the nearest, halves away from zero.
int128 divide_half_up(int128 n, int128 d) {
  const bool negative = (n < 0) != (d < 0);
  const int128 size = n < 0 ? -n : n;
  const int128 by = d < 0 ? -d : d;
  const int128 result = (2 * size + by) / (2 * by);
  return negative ? -result : result;
}

std::string range_error(const Type& type) {
  return type.id == TypeId::kInteger ? "integer out of range" : "bigint out of range";
}

bool in_range(const Type& type, int128 value) {
  if (type.id == TypeId::kInteger) return value >= INT32_MIN && value <= INT32_MAX;
  if (type.id == TypeId::kBigint) return value >= INT64_MIN && value <= INT64_MAX;
  const int128 limit = ten_to(type.precision);
  return value > -limit && value < limit;
}

// + - * / % of integers and numerics.
Outcome calculate(const std::string& name, const Values& args, const Expr& call) {
  const Type& type = call.type;
  const int scale = scale_of(type);
  const int scale_a = scale_of(args[0].type);
  const int scale_b = scale_of(args[1].type);
  const int128 a = whole(args[0]);
  const int128 b = whole(args[1]);
  if ((name == "/" || name == "%") && b == 0) return fail(type, "division by zero", call.position);
  int128 result = 0;
  if (name == "*") {
    result = a * b;
  } else if (name == "/" && type.id == TypeId::kNumeric) {
    result = divide_half_up(a * ten_to(scale - scale_a + scale_b), b);
  } else {
    const int128 x = a * ten_to(scale - scale_a);
    const int128 y = b * ten_to(scale - scale_b);
    result = name == "+" ? x + y : name == "-" ? x - y : name == "/" ? x / y : x % y;
  }
  if (!in_range(type, result)) return fail(type, range_error(type), call.position);
  return ok(whole_value(type, result));
}

Outcome calculate_doubles(const std::string& name, const Values& args, const Expr& call) {
  const double a = std::get<double>(args[0].data);
  const double b = std::get<double>(args[1].data);
  if (name == "/" && b == 0) return fail(call.type, "division by zero", call.position);
  const double r = name == "+" ? a + b : name == "-" ? a - b : name == "*" ? a * b : a / b;
  if (std::isinf(r) && !std::isinf(a) && !std::isinf(b)) {
    return fail(call.type, "value out of range: overflow", call.position);
  }
  const bool lost = name == "*" ? a != 0 && b != 0 : name == "/" && a != 0 && !std::isinf(b);
  if (r == 0 && lost) return fail(call.type, "value out of range: underflow", call.position);
  return ok(Value::double_precision(r));
}

int compare(const Value& a, const Value& b) {
  if (a.type.id != TypeId::kNumeric) return compare_values(a, b);
  const int scale = std::max(scale_of(a.type), scale_of(b.type));
  const int128 x = whole(a) * ten_to(scale - scale_of(a.type));
  const int128 y = whole(b) * ten_to(scale - scale_of(b.type));
  return x < y ? -1 : (x > y ? 1 : 0);
}

std::optional<bool> test(const std::string& name, int order) {
  if (name == "=") return order == 0;
  if (name == "<>") return order != 0;
  if (name == "<") return order < 0;
  if (name == "<=") return order <= 0;
  if (name == ">") return order > 0;
  if (name == ">=") return order >= 0;
  return std::nullopt;
}

std::string text_of(const Value& value) {
  return std::get<std::string>(value.data);
}

// Functions on ASCII texts.
std::optional<Value> text_function(const std::string& name, const Values& args) {
  if (name == "||") return Value::text(text_of(args[0]) + text_of(args[1]));
  if (name == "length") return Value::integer(static_cast<int32_t>(text_of(args[0]).size()));
  if (name == "upper") {
    std::string out = text_of(args[0]);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return Value::text(out);
  }
  if (name == "left") {
    const std::string out = text_of(args[0]);
    const int64_t count = std::get<int32_t>(args[1].data);
    const auto size = static_cast<int64_t>(out.size());
    const int64_t kept = std::clamp<int64_t>(count < 0 ? size + count : count, 0, size);
    return Value::text(out.substr(0, static_cast<size_t>(kept)));
  }
  if (name == "replace") {
    std::string out = text_of(args[0]);
    const std::string from = text_of(args[1]);
    const std::string to = text_of(args[2]);
    if (from.empty()) return Value::text(out);
    for (size_t at = 0; (at = out.find(from, at)) != std::string::npos; at += to.size()) {
      out.replace(at, from.size(), to);
    }
    return Value::text(out);
  }
  return std::nullopt;
}

// greatest, least, is distinct from: they see nulls.
Outcome lax_call(const std::string& name, const Values& args, const Expr& call) {
  if (name == "greatest" || name == "least") {
    Value best = Value::null(call.type);
    for (const Value& arg : args) {
      if (arg.is_null()) continue;
      const int order = best.is_null() ? 0 : compare(arg, best);
      if (best.is_null() || (name == "greatest" ? order > 0 : order < 0)) best = arg;
    }
    return ok(best);
  }
  if (name == "concat") {
    std::string out;
    for (const Value& arg : args) out += arg.is_null() ? "" : text_of(arg);
    return ok(Value::text(out));
  }
  REQUIRE(name == "is distinct from");
  const bool any_null = args[0].is_null() || args[1].is_null();
  const bool distinct =
      any_null ? args[0].is_null() != args[1].is_null() : compare(args[0], args[1]) != 0;
  return ok(Value::boolean(distinct));
}

Outcome call_function(const Expr& call, const Values& args) {
  const std::string& name = call.function->name;
  if (!call.function->strict) return lax_call(name, args, call);
  for (const Value& arg : args) {
    if (arg.is_null()) return ok(Value::null(call.type));
  }
  if (const auto result = text_function(name, args)) return ok(*result);
  if (args.size() == 2) {
    if (const auto decides = test(name, 0)) {
      return ok(Value::boolean(*test(name, compare(args[0], args[1]))));
    }
    if (args[0].type.id == TypeId::kDouble) return calculate_doubles(name, args, call);
    return calculate(name, args, call);
  }
  INFO(name);
  REQUIRE(name == "-");
  if (args[0].type.id == TypeId::kDouble) {
    return ok(Value::double_precision(-std::get<double>(args[0].data)));
  }
  const int128 negated = -whole(args[0]);
  if (!in_range(call.type, negated)) {
    return fail(call.type, range_error(call.type), call.position);
  }
  return ok(whole_value(call.type, negated));
}

// Casts between numbers and from and to text.
Outcome cast_value(const Expr& cast, const Value& value) {
  const Type& to = cast.type;
  const Type& from = value.type;
  if (value.is_null()) return ok(Value::null(to));
  if (from == to) return ok(value);
  if (to.id == TypeId::kText) return ok(Value::text(to_text(value)));
  if (from.id == TypeId::kText) {
    const absl::StatusOr<Value> parsed = parse_value(to, text_of(value));
    if (parsed.ok()) return ok(*parsed);
    if (cast.lenient) return ok(Value::null(to));
    return fail(to, std::string(parsed.status().message()), cast.position);
  }
  if (to.id == TypeId::kDouble) return ok(*parse_value(to, to_text(value)));
  int128 result = 0;
  bool fits = true;
  if (from.id == TypeId::kDouble) {
    const double rounded = std::nearbyint(std::get<double>(value.data));
    fits = std::fabs(rounded) < 1e30;
    result = fits ? static_cast<int128>(rounded) : 0;
  } else {
    const int shift = scale_of(to) - scale_of(from);
    const int128 a = whole(value);
    result = shift >= 0 ? a * ten_to(shift) : divide_half_up(a, ten_to(-shift));
  }
  if (fits && in_range(to, result)) return ok(whole_value(to, result));
  if (cast.lenient) return ok(Value::null(to));
  const bool numeric = to.id == TypeId::kNumeric;
  return fail(to, numeric ? "value out of range for " + to_string(to) : range_error(to),
              cast.position);
}

Outcome logic(const Expr& expr, const Row& row) {
  const bool decisive = expr.kind == ExprKind::kOr;
  bool any_null = false;
  for (const ExprRef& arg : expr.args) {
    const Outcome outcome = interpret(*arg, row);
    if (outcome.error) return outcome;
    if (outcome.value.is_null()) {
      any_null = true;
    } else if (std::get<bool>(outcome.value.data) == decisive) {
      return ok(Value::boolean(decisive));
    }
  }
  return ok(any_null ? Value::null(Type::boolean()) : Value::boolean(!decisive));
}

Outcome choose(const Expr& expr, const Row& row) {
  for (size_t i = 0; i + 1 < expr.args.size(); i += 2) {
    const Outcome when = interpret(*expr.args[i], row);
    if (when.error) return fail(expr.type, *when.error, when.position);
    if (!when.value.is_null() && std::get<bool>(when.value.data)) {
      return interpret(*expr.args[i + 1], row);
    }
  }
  return interpret(*expr.args.back(), row);
}

Outcome first_not_null(const Expr& expr, const Row& row) {
  for (const ExprRef& arg : expr.args) {
    Outcome outcome = interpret(*arg, row);
    if (outcome.error || !outcome.value.is_null()) return outcome;
  }
  return ok(Value::null(expr.type));
}

}  // namespace

Outcome interpret(const Expr& expr, const Row& row) {
  switch (expr.kind) {
    case ExprKind::kColumn:
      return ok(row[static_cast<size_t>(expr.column)]);
    case ExprKind::kConstant:
      return ok(expr.constant);
    case ExprKind::kAnd:
    case ExprKind::kOr:
      return logic(expr, row);
    case ExprKind::kCase:
      return choose(expr, row);
    case ExprKind::kCoalesce:
      return first_not_null(expr, row);
    default:
      break;
  }
  Values args;
  for (const ExprRef& arg : expr.args) {
    const Outcome outcome = interpret(*arg, row);
    if (outcome.error) return fail(expr.type, *outcome.error, outcome.position);
    args.push_back(outcome.value);
  }
  if (expr.kind == ExprKind::kIsNull) return ok(Value::boolean(args[0].is_null()));
  if (expr.kind == ExprKind::kCast) return cast_value(expr, args[0]);
  if (expr.kind == ExprKind::kCall) return call_function(expr, args);
  REQUIRE(expr.kind == ExprKind::kNot);
  if (args[0].is_null()) return ok(args[0]);
  return ok(Value::boolean(!std::get<bool>(args[0].data)));
}

}  // namespace kappa::operators
