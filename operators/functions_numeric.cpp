#include "operators/functions_numeric.h"

#include <algorithm>

namespace kappa::operators {
namespace {

using uint128 = unsigned __int128;

template <typename T>
void load(const KernelArg& arg, Selection selection, size_t first, size_t count, int128* to) {
  const T* values = values_of<T>(arg);
  if (arg.constant) {
    std::fill_n(to, count, static_cast<int128>(values[0]));
  } else if (selection.rows == nullptr) {
    for (size_t i = 0; i < count; ++i) to[i] = values[first + i];
  } else {
    for (size_t i = 0; i < count; ++i) to[i] = values[selection.rows[first + i]];
  }
}

uint128 magnitude(int128 value) {
  const auto bits = static_cast<uint128>(value);
  return value < 0 ? ~bits + 1 : bits;
}

struct Wide {
  uint128 high;
  uint128 low;
};

Wide multiply(uint128 a, uint128 b) {
  const uint128 mask = ~uint64_t{0};
  const uint128 low = (a & mask) * (b & mask);
  const uint128 middle = (a >> 64) * (b & mask) + (low >> 64);
  const uint128 cross = (a & mask) * (b >> 64) + (middle & mask);
  return {(a >> 64) * (b >> 64) + (middle >> 64) + (cross >> 64), (cross << 64) | (low & mask)};
}

// Long division, bit by bit: divisor < 2^127 and dividend.high < divisor.
uint128 divide(Wide dividend, uint128 divisor, uint128* rest) {
  uint128 remainder = dividend.high;
  uint128 quotient = 0;
  for (int bit = 127; bit >= 0; --bit) {
    remainder = (remainder << 1) | ((dividend.low >> bit) & 1);
    quotient <<= 1;
    if (remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
  }
  *rest = remainder;
  return quotient;
}

}  // namespace

const char* const kNumericOutOfRange = "numeric out of range: more than 38 digits";

void load_scaled(const KernelArg& arg, Selection selection, size_t first, size_t count,
                 int128* to) {
  switch (arg.column->type().physical()) {
    case PhysicalType::kInt32:
      return load<int32_t>(arg, selection, first, count, to);
    case PhysicalType::kInt64:
      return load<int64_t>(arg, selection, first, count, to);
    default:
      return load<int128>(arg, selection, first, count, to);
  }
}

NumericWriter::NumericWriter(Column& out) {
  if (out.type().physical() == PhysicalType::kInt64) {
    narrow_ = out.values<int64_t>().data();
  } else {
    wide_ = out.values<int128>().data();
  }
}

bool multiply_divide(int128 a, int128 b, int128 divisor, int128* result) {
  if (divisor == 0) return false;
  const Wide product = multiply(magnitude(a), magnitude(b));
  const uint128 by = magnitude(divisor);
  if (product.high >= by) return false;
  uint128 rest = 0;
  uint128 quotient = divide(product, by, &rest);
  const auto limit = static_cast<uint128>(power_of_ten(kNumericDigitsMax));
  if (quotient >= limit) return false;
  if (rest >= by - rest) ++quotient;
  if (quotient >= limit) return false;
  const bool negative = ((a < 0) != (b < 0)) != (divisor < 0);
  *result = negative ? -static_cast<int128>(quotient) : static_cast<int128>(quotient);
  return true;
}

}  // namespace kappa::operators
