#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/cast.h"
#include "operators/functions_numeric.h"

// Casts among integer, bigint, numeric and double precision.
namespace kappa::operators {
namespace {

template <typename T>
constexpr const char* kOutOfRange = sizeof(T) == 4 ? "integer out of range" : "bigint out of range";

void widen_integer(const KernelCall& call) {
  map_unary<int32_t, int64_t>(call, [](int32_t value) { return int64_t{value}; });
}

void narrow_bigint(const KernelCall& call) {
  map_checked_unary<int64_t, int32_t>(
      call,
      [](int64_t value, uint32_t& bad) {
        const auto result = static_cast<int32_t>(value);
        bad |= result != value ? 1u : 0u;
        return result;
      },
      [](int64_t) { return kOutOfRange<int32_t>; });
}

template <typename T>
void integer_to_double(const KernelCall& call) {
  map_unary<T, double>(call, [](T value) { return static_cast<double>(value); });
}

// Half to even. NaN fails both tests of the range.
template <typename T>
void double_to_integer(const KernelCall& call) {
  constexpr double kBelow = static_cast<double>(std::numeric_limits<T>::min());
  map_checked_unary<double, T>(
      call,
      [](double value, auto& bad) {
        const double rounded = std::nearbyint(value);
        const bool fits = rounded >= kBelow && rounded < -kBelow;
        bad |= fits ? 0u : 1u;
        return static_cast<T>(fits ? rounded : 0);
      },
      [](double) { return kOutOfRange<T>; });
}

std::string precision_message(const Type& type) {
  return absl::StrCat("value out of range for ", to_string(type));
}

// Between scales, from integers too.
void to_numeric(const KernelCall& call) {
  const Type from = numeric_type_of(call.args[0].column->type());
  const Type& to = call.out.type();
  // Precision was promised by the source's type, so it is checked only where it shrinks.
  const bool fits =
      to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
  const int128 factor = power_of_ten(std::max(to.scale - from.scale, 0));
  const NumericWriter out(call.out);
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk values;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, values.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      if (fits) {
        out.write(row, values[i] * factor);
        continue;
      }
      const auto result = rescale(values[i], from.scale, to.scale);
      if (result && fits_precision(*result, to.precision)) {
        out.write(row, *result);
      } else if (nulls == nullptr || nulls[row] == 0) {
        call.errors.fail(row, [&] { return precision_message(to); });
      }
    }
  });
}

// The everyday widening of money and counts: one multiplication in 64 bits.
template <typename T>
void to_narrow_numeric(const KernelCall& call) {
  const int scale = numeric_type_of(call.args[0].column->type()).scale;
  const auto factor = static_cast<int64_t>(power_of_ten(call.out.type().scale - scale));
  map_unary<T, int64_t>(call, [factor](T value) { return value * factor; });
}

template <typename T>
void numeric_to_integer(const KernelCall& call) {
  const int scale = call.args[0].column->type().scale;
  T* out = call.out.values<T>().data();
  const uint8_t* nulls = call.out.has_nulls() ? call.out.nulls().data() : nullptr;
  Chunk values;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, values.data());
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = call.selection[first + i];
      const auto whole = rescale(values[i], scale, 0);
      if (whole && *whole >= std::numeric_limits<T>::min() &&
          *whole <= std::numeric_limits<T>::max()) {
        out[row] = static_cast<T>(*whole);
      } else if (nulls == nullptr || nulls[row] == 0) {
        call.errors.fail(row, kOutOfRange<T>);
      }
    }
  });
}

// Correctly rounded: by division where both parts are exact doubles, else through the digits.
double numeric_to_double_value(int128 value, int scale) {
  constexpr int128 kExact = int128{1} << 53;
  constexpr int kExactPower = 22;
  if (value > -kExact && value < kExact && scale <= kExactPower) {
    return static_cast<double>(value) / static_cast<double>(power_of_ten(scale));
  }
  const std::string digits = decimal_to_text(value, scale);
  double result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return result;
}

void numeric_to_double(const KernelCall& call) {
  const int scale = call.args[0].column->type().scale;
  double* out = call.out.values<double>().data();
  Chunk values;
  for_chunks(call.selection, [&](size_t first, size_t count) {
    load_scaled(call.args[0], call.selection, first, count, values.data());
    for (size_t i = 0; i < count; ++i) {
      out[call.selection[first + i]] = numeric_to_double_value(values[i], scale);
    }
  });
}

void double_to_numeric(const KernelCall& call) {
  constexpr int kDigitsAfterFirst = 14;
  const double* values = values_of<double>(call.args[0]);
  const Type& to = call.out.type();
  const NumericWriter out(call.out);
  for_not_null(call, [&](uint32_t row) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), values[row],
                                   std::chars_format::scientific, kDigitsAfterFirst);
    const auto result = std::isfinite(values[row])
                            ? parse_decimal({digits.data(), end.ptr}, to.scale)
                            : std::nullopt;
    if (result && fits_precision(*result, to.precision)) {
      out.write(row, *result);
    } else {
      call.errors.fail(row, [&] { return precision_message(to); });
    }
  });
}

// Whether a value of numeric `from` is a 64-bit number in `to` as well.
bool widens_in_64_bits(const Type& from, const Type& to) {
  const Type source = numeric_type_of(from);
  return from.physical() != PhysicalType::kInt128 && to.physical() == PhysicalType::kInt64 &&
         to.scale >= source.scale && to.precision - to.scale >= source.precision - source.scale;
}

ScalarKernel to_numeric_kernel(const Type& from, const Type& to) {
  if (from.id == TypeId::kDouble) return &double_to_numeric;
  if (!widens_in_64_bits(from, to)) return &to_numeric;
  if (from.physical() == PhysicalType::kInt32) return &to_narrow_numeric<int32_t>;
  return &to_narrow_numeric<int64_t>;
}

ScalarKernel to_integer_kernel(const Type& from, const Type& to) {
  const bool small = to.id == TypeId::kInteger;
  switch (from.id) {
    case TypeId::kInteger:
      return &widen_integer;
    case TypeId::kBigint:
      return &narrow_bigint;
    case TypeId::kDouble:
      return small ? &double_to_integer<int32_t> : &double_to_integer<int64_t>;
    default:
      return small ? &numeric_to_integer<int32_t> : &numeric_to_integer<int64_t>;
  }
}

}  // namespace

ScalarKernel cast_number_kernel(const Type& from, const Type& to) {
  if (to.id == TypeId::kNumeric) return to_numeric_kernel(from, to);
  if (to.id != TypeId::kDouble) return to_integer_kernel(from, to);
  if (from.id == TypeId::kInteger) return &integer_to_double<int32_t>;
  if (from.id == TypeId::kBigint) return &integer_to_double<int64_t>;
  return &numeric_to_double;
}

}  // namespace kappa::operators
