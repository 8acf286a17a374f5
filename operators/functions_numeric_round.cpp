#include <algorithm>
#include <string>

#include "operators/functions_numeric.h"

// Rounding and sign of numeric.
namespace kappa::operators {
namespace {

enum class Rounding { kHalfUp, kTowardZero, kUp, kDown };

// value / 10^digits, rounded. 0 <= digits <= 38.
int128 drop_digits(int128 value, int digits, Rounding rounding) {
  const int128 divisor = power_of_ten(digits);
  const int128 quotient = value / divisor;
  const int128 rest = value % divisor;
  switch (rounding) {
    case Rounding::kHalfUp: {
      const int128 size = rest < 0 ? -rest : rest;
      if (digits == 0 || size < divisor - size) return quotient;
      return quotient + (value < 0 ? -1 : 1);
    }
    case Rounding::kTowardZero:
      return quotient;
    case Rounding::kUp:
      return quotient + (rest > 0 ? 1 : 0);
    case Rounding::kDown:
      return quotient - (rest < 0 ? 1 : 0);
  }
  return quotient;
}

// `value` of scale `from`, rounded to `digits` after the point, at scale `to`. False: more than 38
// digits.
bool round_value(int128 value, int from, int64_t digits, int to, Rounding rounding,
                 int128* result) {
  int scale = from;
  if (digits < from) {
    const int64_t dropped = from - digits;
    value =
        dropped > kNumericDigitsMax ? 0 : drop_digits(value, static_cast<int>(dropped), rounding);
    scale = static_cast<int>(std::max<int64_t>(digits, -kNumericDigitsMax));
  }
  const int shift = to - scale;
  if (shift > 0 && value != 0 &&
      (shift > kNumericDigitsMax || __builtin_mul_overflow(value, power_of_ten(shift), &value))) {
    return false;
  }
  *result = shift < 0 ? value / power_of_ten(-shift) : value;
  return fits_precision(*result, kNumericDigitsMax);
}

// round(x) and the like: to no digits; round(x, n): to n.
template <Rounding kRounding, bool kToDigits>
void round_numeric(const KernelCall& call) {
  const int from = numeric_type_of(call.args[0].column->type()).scale;
  const int to = call.out.type().scale;
  const NumericWriter out(call.out);
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk values;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, values.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      if (nulls != nullptr && nulls[row] != 0) continue;
      int64_t digits = 0;
      if constexpr (kToDigits) digits = ArgReader<int32_t>(call.args[1])[row];
      int128 result = 0;
      if (round_value(values[i], from, digits, to, kRounding, &result)) {
        out.write(row, result);
      } else {
        call.errors.fail(row, kNumericOutOfRange);
      }
    }
  });
}

enum class Sign { kNegate, kAbsolute, kSign };

template <Sign kSign>
void sign_numeric(const KernelCall& call) {
  const NumericWriter out(call.out);
  Chunk values;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, values.data());
    for (size_t i = 0; i < count; ++i) {
      const int128 value = values[i];
      const int128 result = kSign == Sign::kNegate     ? -value
                            : kSign == Sign::kAbsolute ? (value < 0 ? -value : value)
                                                       : (value > 0) - (value < 0);
      out.write(call.selection[first + i], result);
    }
  });
}

absl::StatusOr<Type> same_type(std::span<const Type> args, std::span<const Value* const>) {
  return args[0];
}

absl::StatusOr<Type> sign_type(std::span<const Type>, std::span<const Value* const>) {
  return Type::numeric(1, 0);
}

// Rounding may carry into one digit more.
absl::StatusOr<Type> whole_type(std::span<const Type> args, std::span<const Value* const>) {
  return Type::numeric(std::min(args[0].precision - args[0].scale + 1, kNumericDigitsMax), 0);
}

// With a constant n the result has n digits, else it keeps those of x.
absl::StatusOr<Type> digits_type(std::span<const Type> args,
                                 std::span<const Value* const> constants) {
  const int whole = args[0].precision - args[0].scale + 1;
  int scale = args[0].scale;
  if (constants.size() == 2 && constants[1] != nullptr) {
    if (const auto* digits = std::get_if<int32_t>(&constants[1]->data)) {
      scale = std::clamp(*digits, 0, std::max(kNumericDigitsMax - whole, int{args[0].scale}));
    }
  }
  return Type::numeric(std::clamp(whole + scale, 1, kNumericDigitsMax), scale);
}

void add_unary(FunctionList& list, const char* name, ScalarKernel kernel, ResultRule rule) {
  ScalarFunction function;
  function.name = name;
  function.args = {Type::numeric(38, 0)};
  function.result = Type::numeric(38, 0);
  function.kernel = kernel;
  function.result_rule = rule;
  list.push_back(std::move(function));
}

void add_to_digits(FunctionList& list, const char* name, ScalarKernel kernel) {
  add_unary(list, name, kernel, &digits_type);
  list.back().args.push_back(Type::integer());
}

}  // namespace

void add_rounding_functions(FunctionList& list) {
  add_unary(list, "-", &sign_numeric<Sign::kNegate>, &same_type);
  list.back().infallible = true;
  add_unary(list, "abs", &sign_numeric<Sign::kAbsolute>, &same_type);
  list.back().infallible = true;
  add_unary(list, "sign", &sign_numeric<Sign::kSign>, &sign_type);
  list.back().infallible = true;
  add_unary(list, "round", &round_numeric<Rounding::kHalfUp, false>, &whole_type);
  add_unary(list, "trunc", &round_numeric<Rounding::kTowardZero, false>, &whole_type);
  add_unary(list, "ceil", &round_numeric<Rounding::kUp, false>, &whole_type);
  add_unary(list, "ceiling", &round_numeric<Rounding::kUp, false>, &whole_type);
  add_unary(list, "floor", &round_numeric<Rounding::kDown, false>, &whole_type);
  add_to_digits(list, "round", &round_numeric<Rounding::kHalfUp, true>);
  add_to_digits(list, "trunc", &round_numeric<Rounding::kTowardZero, true>);
}

}  // namespace kappa::operators
