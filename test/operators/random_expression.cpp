#include "test/operators/random_expression.h"

#include <memory>
#include <string>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

constexpr Type kBoolean = Type::boolean();
constexpr Type kInteger = Type::integer();
constexpr Type kBigint = Type::bigint();
constexpr Type kDouble = Type::double_precision();
constexpr Type kMoney = Type::numeric(6, 2);
constexpr Type kWide = Type::numeric(20, 3);
constexpr Type kText = Type::text();

const std::vector<Type> kTypes = {kBoolean, kInteger, kBigint, kDouble, kMoney, kWide, kText};

ExprRef at(ExprRef expr, SqlPosition position) {
  auto copy = std::make_shared<Expr>(*expr);
  copy->position = position;
  return copy;
}

}  // namespace

const std::vector<Type>& RandomExpressions::column_types() {
  static const std::vector<Type> types = [] {
    std::vector<Type> twice = kTypes;
    twice.insert(twice.end(), kTypes.begin(), kTypes.end());
    return twice;
  }();
  return types;
}

int RandomExpressions::below(int limit) {
  return static_cast<int>(random_() % static_cast<uint64_t>(limit));
}

Type RandomExpressions::type() {
  return kTypes[static_cast<size_t>(below(static_cast<int>(kTypes.size())))];
}

std::vector<Row> RandomExpressions::rows(size_t rows_max) {
  std::vector<Row> rows(random_() % (rows_max + 1));
  for (const Type& column : column_types()) {
    const int null_percent = chance(40) ? 0 : 25;
    for (Row& row : rows) row.push_back(chance(null_percent) ? Value::null(column) : value(column));
  }
  return rows;
}

// Small numbers, so that some are equal and some zero, and now and then one at the end of its
// range.
Value RandomExpressions::value(const Type& type) {
  const int small = below(9) - 4;
  const bool extreme = chance(5);
  switch (type.id) {
    case TypeId::kBoolean:
      return Value::boolean(chance(50));
    case TypeId::kInteger:
      return Value::integer(extreme ? (chance(50) ? INT32_MAX : INT32_MIN) : small);
    case TypeId::kBigint:
      return Value::bigint(extreme ? (chance(50) ? INT64_MAX : INT64_MIN) : small);
    case TypeId::kDouble:
      return Value::double_precision(extreme ? 1e300 : small * 0.25);
    case TypeId::kNumeric: {
      const int64_t scaled = extreme ? 999'999 : small * 25;
      if (type.physical() == PhysicalType::kInt64) return {type, scaled};
      return {type, static_cast<int128>(scaled) * (extreme ? 1'000'000'000 : 1)};
    }
    default: {
      static const char* const kTexts[] = {"", "a", "ab", "abc", "Ab", "1", "-2.5", "x1"};
      return Value::text(kTexts[below(8)]);
    }
  }
}

ExprRef RandomExpressions::leaf(const Type& type) {
  if (chance(25)) {
    return constant_expr(chance(15) ? Value::null(type) : value(type), position());
  }
  std::vector<int> matching;
  for (size_t i = 0; i < column_types().size(); ++i) {
    if (column_types()[i] == type) matching.push_back(static_cast<int>(i));
  }
  const int column = matching[static_cast<size_t>(below(static_cast<int>(matching.size())))];
  return column_expr(column, type, position());
}

ExprRef RandomExpressions::expression(const Type& type, int depth) {
  if (depth <= 0 || chance(10)) return leaf(type);
  if (chance(20)) return choice(type, depth);
  if (type.id == TypeId::kBoolean) return boolean(depth);
  if (type.id == TypeId::kText) return text(depth);
  return number(type, depth);
}

// CASE, COALESCE, greatest or least.
ExprRef RandomExpressions::choice(const Type& type, int depth) {
  if (chance(50)) {
    std::vector<ExprRef> args;
    for (int i = 0; i <= below(2); ++i) {
      args.push_back(expression(kBoolean, depth - 1));
      args.push_back(expression(type, depth - 1));
    }
    args.push_back(expression(type, depth - 1));
    return at(form(ExprKind::kCase, type, args), position());
  }
  std::vector<ExprRef> args;
  for (int i = 0; i <= 1 + below(2); ++i) args.push_back(expression(type, depth - 1));
  if (chance(50)) return at(form(ExprKind::kCoalesce, type, args), position());
  return call(chance(50) ? "greatest" : "least", args, position());
}

ExprRef RandomExpressions::boolean(int depth) {
  const Type compared = type();
  switch (below(6)) {
    case 0:
      return at(form(ExprKind::kNot, kBoolean, {expression(kBoolean, depth - 1)}), position());
    case 1:
      return at(form(ExprKind::kIsNull, kBoolean, {expression(compared, depth - 1)}), position());
    case 2:
    case 3: {
      std::vector<ExprRef> args;
      for (int i = 0; i <= 1 + below(2); ++i) args.push_back(expression(kBoolean, depth - 1));
      return at(form(chance(50) ? ExprKind::kAnd : ExprKind::kOr, kBoolean, args), position());
    }
    default: {
      static const char* const kOperators[] = {"=", "<>", "<", "<=", ">", ">=", "is distinct from"};
      const Type other = compared.is_number() && chance(50) ? kInteger : compared;
      return call(kOperators[below(7)],
                  {expression(compared, depth - 1), expression(other, depth - 1)}, position());
    }
  }
}

// Numeric results grow with every operation; a cast brings them back, and sometimes fails.
ExprRef RandomExpressions::number(const Type& type, int depth) {
  if (chance(15)) return call("-", {expression(type, depth - 1)}, position());
  if (chance(20)) {
    static const Type kSources[] = {kInteger, kBigint, kMoney, kText};
    Type source = kSources[below(4)];
    if (chance(20) && type.is_integer()) source = kDouble;
    return cast_to(expression(source, depth - 1), type, chance(30), position());
  }
  if (type.id == TypeId::kInteger && chance(20)) {
    return call("length", {expression(kText, depth - 1)}, position());
  }
  const bool modulo = type.id != TypeId::kDouble && chance(20);
  static const char* const kOperators[] = {"+", "-", "*", "/"};
  const char* name = modulo ? "%" : kOperators[below(4)];
  // numeric(20,3) operands would reach 38 digits soon, where the oracle has no room.
  const Type operand = type == kWide ? kMoney : type;
  const Type other = operand.is_integer() ? operand : (chance(30) ? kInteger : operand);
  const ExprRef result =
      call(name, {expression(operand, depth - 1), expression(other, depth - 1)}, position());
  return cast_to(result, type, false, position());
}

ExprRef RandomExpressions::text(int depth) {
  const auto arg = [&](const Type& type) { return expression(type, depth - 1); };
  switch (below(6)) {
    case 0:
      return call("||", {arg(kText), arg(kText)}, position());
    case 1:
      return call("upper", {arg(kText)}, position());
    case 2:
      return call("left", {arg(kText), arg(kInteger)}, position());
    case 3:
      return call("concat", {arg(kText), arg(type())}, position());
    case 4:
      return call("replace", {arg(kText), arg(kText), leaf(kText)}, position());
    default:
      return cast_to(arg(type()), kText, false, position());
  }
}

}  // namespace kappa::operators
