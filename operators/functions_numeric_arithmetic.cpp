#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/functions_numeric.h"

// + - * / % on numeric. Result types are as small as they can be, so that money stays in 64 bits
// and most operations cannot overflow; only a precision that was capped at 38 digits is checked.
namespace kappa::operators {
namespace {

constexpr const char* kDivisionByZero = "division by zero";
constexpr int kDivisionScale = 6;  // digits that a quotient has beyond its operands

absl::Status too_many_fraction_digits(const char* name, std::span<const Type> args, int scale) {
  return absl::InvalidArgumentError(absl::StrCat(
      to_string(args[0]), " ", name, " ", to_string(args[1]), " needs ", scale,
      " digits after the point, more than the 38 there are; cast an operand to fewer"));
}

Type capped(int precision, int scale) {
  return Type::numeric(std::clamp(precision, std::max(scale, 1), kNumericDigitsMax), scale);
}

int whole_digits(const Type& type) {
  return type.precision - type.scale;
}

absl::StatusOr<Type> sum_type(std::span<const Type> args, std::span<const Value* const>) {
  const int scale = std::max(args[0].scale, args[1].scale);
  return capped(std::max(whole_digits(args[0]), whole_digits(args[1])) + scale + 1, scale);
}

absl::StatusOr<Type> product_type(std::span<const Type> args, std::span<const Value* const>) {
  const int scale = args[0].scale + args[1].scale;
  if (scale > kNumericDigitsMax) return too_many_fraction_digits("*", args, scale);
  return capped(args[0].precision + args[1].precision, scale);
}

absl::StatusOr<Type> quotient_type(std::span<const Type> args, std::span<const Value* const>) {
  const int scale = std::max(args[0].scale, args[1].scale) + kDivisionScale;
  if (scale > kNumericDigitsMax) return too_many_fraction_digits("/", args, scale);
  return capped(whole_digits(args[0]) + args[1].scale + scale, scale);
}

absl::StatusOr<Type> remainder_type(std::span<const Type> args, std::span<const Value* const>) {
  const int scale = std::max(args[0].scale, args[1].scale);
  return capped(std::min(whole_digits(args[0]), whole_digits(args[1])) + scale, scale);
}

// The same type twice over: what both operands can be moved to. `shift_a` and `shift_b` are the
// digits to move each.
struct Alignment {
  int shift_a;
  int shift_b;
};

Alignment align(const KernelCall& call) {
  const int a = numeric_type_of(call.args[0].column->type()).scale;
  const int b = numeric_type_of(call.args[1].column->type()).scale;
  return {std::max(a, b) - a, std::max(a, b) - b};
}

// Calls f.operator()<A, B, R>() with the widths of the arguments and the result, none of which is
// 128 bits wide but perhaps the result. False: they are wider, or both are integers.
template <typename F>
bool dispatch_narrow(const KernelCall& call, F&& f) {
  const auto is_small = [](const KernelArg& arg) {
    return arg.column->type().physical() == PhysicalType::kInt32;
  };
  const bool small_a = is_small(call.args[0]);
  const bool small_b = is_small(call.args[1]);
  if (small_a && small_b) return false;
  const bool narrow = call.out.type().physical() == PhysicalType::kInt64;
  if (small_a) {
    narrow ? f.template operator()<int32_t, int64_t, int64_t>()
           : f.template operator()<int32_t, int64_t, int128>();
  } else if (small_b) {
    narrow ? f.template operator()<int64_t, int32_t, int64_t>()
           : f.template operator()<int64_t, int32_t, int128>();
  } else {
    narrow ? f.template operator()<int64_t, int64_t, int64_t>()
           : f.template operator()<int64_t, int64_t, int128>();
  }
  return true;
}

struct AddValues {
  template <typename R>
  static R apply(R a, R b) {
    return a + b;
  }
  static bool overflows(int128 a, int128 b, int128* r) { return __builtin_add_overflow(a, b, r); }
};
struct SubtractValues {
  template <typename R>
  static R apply(R a, R b) {
    return a - b;
  }
  static bool overflows(int128 a, int128 b, int128* r) { return __builtin_sub_overflow(a, b, r); }
};

// Any operands: 128 bits, every step checked.
template <typename Op>
void sum_wide(const KernelCall& call, Alignment shift) {
  const int128 factor_a = power_of_ten(shift.shift_a);
  const int128 factor_b = power_of_ten(shift.shift_b);
  const NumericWriter out(call.out);
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk a;
  Chunk b;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, a.data());
    load_scaled(call.args[1], call.selection, first, count, b.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      int128 left = 0;
      int128 right = 0;
      int128 result = 0;
      const bool bad = __builtin_mul_overflow(a[i], factor_a, &left) |
                       __builtin_mul_overflow(b[i], factor_b, &right) |
                       Op::overflows(left, right, &result);
      if (bad || !fits_precision(result, kNumericDigitsMax)) [[unlikely]] {
        if (nulls == nullptr || nulls[row] == 0) call.errors.fail(row, kNumericOutOfRange);
      } else {
        out.write(row, result);
      }
    }
  });
}

// Operands of any width whose sum surely has 38 digits at most.
template <typename Op>
void sum_unchecked(const KernelCall& call, Alignment shift) {
  const int128 factor_a = power_of_ten(shift.shift_a);
  const int128 factor_b = power_of_ten(shift.shift_b);
  const NumericWriter out(call.out);
  Chunk a;
  Chunk b;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, a.data());
    load_scaled(call.args[1], call.selection, first, count, b.data());
    for (size_t i = 0; i < count; ++i) {
      out.write(call.selection[first + i],
                Op::template apply<int128>(a[i] * factor_a, b[i] * factor_b));
    }
  });
}

template <typename Op>
void sum_numeric(const KernelCall& call) {
  const Alignment shift = align(call);
  // A result type below the cap has room for every sum: nothing to check.
  if (call.out.type().precision == kNumericDigitsMax) return sum_wide<Op>(call, shift);
  if (fits_int64(call.args[0], shift.shift_a) && fits_int64(call.args[1], shift.shift_b)) {
    const auto factor_a = static_cast<int64_t>(power_of_ten(shift.shift_a));
    const auto factor_b = static_cast<int64_t>(power_of_ten(shift.shift_b));
    const bool done = dispatch_narrow(call, [&]<typename A, typename B, typename R>() {
      map_binary<A, B, R>(call, [=](A a, B b) {
        const int64_t scaled_a = a * factor_a;
        const int64_t scaled_b = b * factor_b;
        return Op::template apply<R>(static_cast<R>(scaled_a), static_cast<R>(scaled_b));
      });
    });
    if (done) return;
  }
  sum_unchecked<Op>(call, shift);
}

void multiply_wide(const KernelCall& call) {
  const NumericWriter out(call.out);
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk a;
  Chunk b;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, a.data());
    load_scaled(call.args[1], call.selection, first, count, b.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      int128 result = 0;
      const bool bad = __builtin_mul_overflow(a[i], b[i], &result);
      if (bad || !fits_precision(result, kNumericDigitsMax)) [[unlikely]] {
        if (nulls == nullptr || nulls[row] == 0) call.errors.fail(row, kNumericOutOfRange);
      } else {
        out.write(row, result);
      }
    }
  });
}

void multiply_numeric(const KernelCall& call) {
  const auto is_narrow = [](const KernelArg& arg) { return fits_int64(arg, 0); };
  if (is_narrow(call.args[0]) && is_narrow(call.args[1]) &&
      call.out.type().precision < kNumericDigitsMax) {
    const bool done = dispatch_narrow(call, [&]<typename A, typename B, typename R>() {
      map_binary<A, B, R>(call, [](A a, B b) { return static_cast<R>(static_cast<R>(a) * b); });
    });
    if (done) return;
  }
  multiply_wide(call);
}

// a * 10^shift / b, half up. `fits`: the moved dividend surely has at most 38 digits.
bool divide_values(int128 a, int128 b, int128 factor, bool fits, int128* result) {
  int128 dividend = 0;
  if (fits) {
    dividend = a * factor;
  } else if (__builtin_mul_overflow(a, factor, &dividend)) {
    return multiply_divide(a, factor, b, result);
  }
  constexpr int64_t kNarrow = int64_t{1} << 62;
  if (dividend > -kNarrow && dividend < kNarrow && b > -kNarrow && b < kNarrow) {
    const auto n = static_cast<int64_t>(dividend);
    const auto d = static_cast<int64_t>(b);
    const int64_t rest = n % d;
    const int64_t up = 2 * (rest < 0 ? -rest : rest) >= (d < 0 ? -d : d) ? 1 : 0;
    *result = n / d + ((n < 0) != (d < 0) ? -up : up);
    return true;
  }
  int128 quotient = dividend / b;
  const int128 rest = dividend % b;
  const int128 size = rest < 0 ? -rest : rest;
  const int128 by = b < 0 ? -b : b;
  if (size >= by - size) quotient += (dividend < 0) != (b < 0) ? -1 : 1;
  *result = quotient;
  return fits_precision(quotient, kNumericDigitsMax);
}

void divide_numeric(const KernelCall& call) {
  const Type a_type = numeric_type_of(call.args[0].column->type());
  const Type b_type = numeric_type_of(call.args[1].column->type());
  const int shift = call.out.type().scale - a_type.scale + b_type.scale;
  // The quotient's scale exceeds both operands', so shift > 0; beyond 38 digits only 0 / b works.
  const bool fits = a_type.precision + shift <= kNumericDigitsMax;
  const int128 factor = power_of_ten(std::min(shift, kNumericDigitsMax));
  const int128 rest = power_of_ten(std::max(shift - kNumericDigitsMax, 0));
  const NumericWriter out(call.out);
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk a;
  Chunk b;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, a.data());
    load_scaled(call.args[1], call.selection, first, count, b.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      if (nulls != nullptr && nulls[row] != 0) continue;
      int128 result = 0;
      if (b[i] == 0) [[unlikely]] {
        call.errors.fail(row, kDivisionByZero);
      } else if (int128 dividend = 0; __builtin_mul_overflow(a[i], rest, &dividend) ||
                                      !divide_values(dividend, b[i], factor, fits, &result)) {
        call.errors.fail(row, kNumericOutOfRange);
      } else {
        out.write(row, result);
      }
    }
  });
}

void modulo_numeric(const KernelCall& call) {
  const Alignment shift = align(call);
  const int128 factor_a = power_of_ten(shift.shift_a);
  const int128 factor_b = power_of_ten(shift.shift_b);
  const NumericWriter out(call.out);
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk a;
  Chunk b;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, a.data());
    load_scaled(call.args[1], call.selection, first, count, b.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      if (nulls != nullptr && nulls[row] != 0) continue;
      int128 left = 0;
      int128 right = 0;
      if (b[i] == 0) [[unlikely]] {
        call.errors.fail(row, kDivisionByZero);
      } else if (__builtin_mul_overflow(a[i], factor_a, &left) |
                 __builtin_mul_overflow(b[i], factor_b, &right)) [[unlikely]] {
        call.errors.fail(row, kNumericOutOfRange);
      } else {
        out.write(row, left % right);
      }
    }
  });
}

void add_operator(FunctionList& list, const char* name, ScalarKernel kernel, ResultRule rule) {
  ScalarFunction function;
  function.name = name;
  function.args = {Type::numeric(38, 0), Type::numeric(38, 0)};
  function.result = Type::numeric(38, 0);
  function.kernel = kernel;
  function.result_rule = rule;
  function.reads_integers = true;
  list.push_back(std::move(function));
}

}  // namespace

void add_numeric_functions(FunctionList& list) {
  add_operator(list, "+", &sum_numeric<AddValues>, &sum_type);
  add_operator(list, "-", &sum_numeric<SubtractValues>, &sum_type);
  add_operator(list, "*", &multiply_numeric, &product_type);
  add_operator(list, "/", &divide_numeric, &quotient_type);
  add_operator(list, "%", &modulo_numeric, &remainder_type);
  add_operator(list, "mod", &modulo_numeric, &remainder_type);
  add_rounding_functions(list);
}

}  // namespace kappa::operators
