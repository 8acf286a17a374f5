#include "test/runtime/model/expression_generator.h"

#include <limits>

#include "engine/types/time.h"

namespace kappa::model {
namespace {

bool is_sum_type(const Type& type) {
  return type.id == TypeId::kNumeric;
}

// Numerics of one scale are of one kind here, but for sums, whose sums would have too many digits.
bool same_kind(const Type& a, const Type& b) {
  return a.id == b.id && a.scale == b.scale && a.precision <= 18;
}

}  // namespace

const std::vector<Type>& column_types() {
  static const std::vector<Type> types{
      Type::boolean(),          Type::integer(), Type::bigint(),     Type::numeric(12, 2),
      Type::double_precision(), Type::text(),    Type::timestamptz()};
  return types;
}

Value odd_double(Dice& dice) {
  static const std::vector<double> odd{std::numeric_limits<double>::quiet_NaN(),
                                       std::numeric_limits<double>::quiet_NaN(),
                                       std::numeric_limits<double>::infinity(),
                                       -std::numeric_limits<double>::infinity(),
                                       -0.0,
                                       0.0};
  return Value::double_precision(dice.pick(odd));
}

std::optional<ExprRef> ExpressionGenerator::any_column(Type type) {
  std::vector<size_t> fitting;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (same_kind(fields_[i].type, type)) fitting.push_back(i);
  }
  if (fitting.empty()) return std::nullopt;
  const size_t index = dice_.pick(fitting);
  return column(index, fields_[index].type);
}

ExprRef ExpressionGenerator::leaf(Type type) {
  if (!dice_.one_in(7)) {
    if (auto found = any_column(type)) return *found;
  }
  switch (type.id) {
    case TypeId::kBoolean:
      return constant(Value::boolean(dice_.coin()));
    case TypeId::kInteger:
      return constant(Value::integer(static_cast<int32_t>(dice_.between(-2, 5))));
    case TypeId::kBigint:
      // Beyond the range of integer now and then, so that products overflow.
      return constant(Value::bigint(dice_.one_in(8) ? int64_t{4'000'000'000'000'000'000}
                                                    : dice_.between(-3, 9)));
    case TypeId::kNumeric:
      return constant(numeric_value(Type::numeric(12, 2), dice_.between(-500, 2000)));
    case TypeId::kDouble:
      if (dice_.one_in(4)) return constant(odd_double(dice_));
      return constant(Value::double_precision(static_cast<double>(dice_.between(-8, 8)) * 0.25));
    case TypeId::kTimestamptz:
      return constant(Value::timestamptz(dice_.between(0, 100) * kMicrosPerSecond));
    default:
      return constant(Value::text(dice_.pick(std::vector<std::string>{"a", "b", "it's", "", "é"})));
  }
}

ExprRef ExpressionGenerator::boolean(int depth) {
  switch (dice_.below(6)) {
    case 0:
      return make(dice_.coin() ? Op::kAnd : Op::kOr, Type::boolean(),
                  {of_type(Type::boolean(), depth - 1), of_type(Type::boolean(), depth - 1)});
    case 1:
      return make(Op::kNot, Type::boolean(), {of_type(Type::boolean(), depth - 1)});
    case 2:
      return make(Op::kIsNull, Type::boolean(), {of_type(dice_.pick(column_types()), depth - 1)});
    case 3:
      return leaf(Type::boolean());
    default: {
      static const std::vector<Op> comparisons{Op::kEqual, Op::kNotEqual, Op::kLess,
                                               Op::kLessOrEqual};
      const Type type = dice_.one_in(6) ? Type::double_precision() : dice_.pick(column_types());
      return make(dice_.pick(comparisons), Type::boolean(),
                  {of_type(type, depth - 1), of_type(type, depth - 1)});
    }
  }
}

ExprRef ExpressionGenerator::bigint(int depth) {
  static const std::vector<Op> operations{Op::kAdd, Op::kSubtract, Op::kMultiply, Op::kDivide};
  return make(dice_.pick(operations), Type::bigint(),
              {of_type(Type::bigint(), depth - 1), of_type(Type::bigint(), depth - 1)});
}

ExprRef ExpressionGenerator::of_type(Type type, int depth) {
  if (depth <= 0) return leaf(type);
  switch (dice_.below(5)) {
    case 0:
      return make(Op::kCase, type,
                  {of_type(Type::boolean(), depth - 1), of_type(type, depth - 1),
                   of_type(type, depth - 1)});
    case 1:
      return make(Op::kCoalesce, type, {of_type(type, depth - 1), of_type(type, depth - 1)});
    default:
      break;
  }
  if (type.id == TypeId::kBoolean) return boolean(depth);
  if (type.id == TypeId::kBigint && dice_.coin()) return bigint(depth);
  if (is_sum_type(type) && dice_.coin()) {
    return make(dice_.coin() ? Op::kAdd : Op::kSubtract, Type::numeric(18, type.scale),
                {of_type(type, depth - 1), of_type(type, depth - 1)});
  }
  if (type.id == TypeId::kText && dice_.one_in(3)) {
    return make(Op::kConcat, type, {of_type(type, depth - 1), of_type(type, depth - 1)});
  }
  if (type.id == TypeId::kInteger && dice_.one_in(3)) {
    return make(Op::kLength, type, {of_type(Type::text(), depth - 1)});
  }
  return leaf(type);
}

ExprRef ExpressionGenerator::anything() {
  return of_type(dice_.pick(column_types()), 2);
}

}  // namespace kappa::model
