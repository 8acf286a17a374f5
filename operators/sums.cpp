#include "operators/sums.h"

#include <limits>

#include "engine/types/decimal.h"

namespace kappa::operators {
namespace {

// sum / count with six digits more than the sum, half away from zero; nothing if it does not fit.
std::optional<int128> average(int128 sum, int64_t count, int extra_digits) {
  const int128 quotient = sum / count;
  const int128 remainder = sum % count;
  const int128 unit = power_of_ten(extra_digits);
  int128 whole = 0;
  if (__builtin_mul_overflow(quotient, unit, &whole)) return std::nullopt;
  const int128 scaled = remainder * unit;
  int128 part = scaled / count;
  const int128 rest = scaled % count;
  if ((rest < 0 ? -rest : rest) * 2 >= count) part += sum < 0 ? -1 : 1;
  if (__builtin_add_overflow(whole, part, &whole) || !fits_precision(whole, 38))
    return std::nullopt;
  return whole;
}

// What a result of the type may be.
struct Bounds {
  explicit Bounds(const Type& type) {
    if (type.id == TypeId::kBigint) {
      least = std::numeric_limits<int64_t>::min();
      greatest = std::numeric_limits<int64_t>::max();
    } else {
      greatest = power_of_ten(38) - 1;
      least = -greatest;
    }
  }
  bool hold(int128 value) const { return least <= value && value <= greatest; }

  int128 least;
  int128 greatest;
};

}  // namespace

void append_number(Column& column, std::optional<int128> value) {
  const size_t row = column.rows();
  column.resize(row + 1);
  if (!value) {
    column.set_null(row);
  } else if (column.type().physical() == PhysicalType::kInt128) {
    column.values<int128>()[row] = *value;
  } else {
    column.values<int64_t>()[row] = static_cast<int64_t>(*value);
  }
}

void append_double(Column& column, std::optional<double> value) {
  const size_t row = column.rows();
  column.resize(row + 1);
  if (value) {
    column.values<double>()[row] = *value;
  } else {
    column.set_null(row);
  }
}

void append_sum(Column& column, int128 sum, int64_t count) {
  const bool there = count > 0 && sum != kSumOverflowed && Bounds(column.type()).hold(sum);
  append_number(column, there ? std::optional(sum) : std::nullopt);
}

Column sums_column(Type result, std::span<const int128> sums, std::span<const int64_t> counts) {
  Column column(result, sums.size());
  const Bounds bounds(result);
  const auto fill = [&]<typename T>(std::span<T> values) {
    for (size_t i = 0; i < sums.size(); ++i) {
      if (counts[i] > 0 && sums[i] != kSumOverflowed && bounds.hold(sums[i])) {
        values[i] = static_cast<T>(sums[i]);
      } else {
        column.set_null(i);
      }
    }
  };
  if (result.physical() == PhysicalType::kInt128) {
    fill(column.values<int128>());
  } else {
    fill(column.values<int64_t>());
  }
  return column;
}

Column averages_column(Type result, std::span<const int128> sums, std::span<const int64_t> counts,
                       int argument_scale) {
  Column column(result);
  column.reserve(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    append_average(column, sums[i], counts[i], argument_scale);
  }
  return column;
}

void append_average(Column& column, int128 sum, int64_t count, int argument_scale) {
  if (count == 0 || sum == kSumOverflowed) return append_number(column, std::nullopt);
  append_number(column, average(sum, count, column.type().scale - argument_scale));
}

}  // namespace kappa::operators
