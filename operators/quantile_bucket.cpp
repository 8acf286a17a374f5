#include "operators/quantile_bucket.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "engine/types/decimal.h"

namespace kappa::operators {
namespace {

// A double's highest bits, its sign apart: the exponent and six bits of the fraction.
constexpr int kFractionBits = 6;
constexpr int kLowBits = 52 - kFractionBits;
constexpr int32_t kInfinity = 0x7ff << kFractionBits;
constexpr int32_t kNan = kInfinity + 1;

}  // namespace

int32_t quantile_bucket(double value) {
  if (std::isnan(value)) return kNan + 1;
  if (value == 0) return 0;
  // From 1 on, since the smallest values have no bit there.
  const auto size = static_cast<int32_t>(std::bit_cast<uint64_t>(std::fabs(value)) >> kLowBits) + 1;
  return value < 0 ? -size : size;
}

double quantile_of_bucket(int32_t bucket) {
  if (bucket > kNan) return std::numeric_limits<double>::quiet_NaN();
  if (bucket == 0) return 0;
  const int32_t size = (bucket < 0 ? -bucket : bucket) - 1;
  if (size == kInfinity) {
    return bucket < 0 ? -std::numeric_limits<double>::infinity()
                      : std::numeric_limits<double>::infinity();
  }
  constexpr uint64_t kMiddle = uint64_t{1} << (kLowBits - 1);
  const double middle = std::bit_cast<double>((static_cast<uint64_t>(size) << kLowBits) | kMiddle);
  return bucket < 0 ? -middle : middle;
}

Column quantile_buckets(const Column& values) {
  Column buckets(Type::integer(), values.rows());
  const auto out = buckets.values<int32_t>();
  const auto unit = static_cast<double>(
      values.type().id == TypeId::kNumeric ? power_of_ten(values.type().scale) : 1);
  dispatch_physical(values.type().physical(), [&]<typename T>() {
    if constexpr (!std::is_same_v<T, StringRef>) {
      const auto in = values.values<T>();
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = quantile_bucket(static_cast<double>(in[i]) / unit);
      }
    }
  });
  if (values.has_nulls()) {
    for (size_t i = 0; i < out.size(); ++i) {
      if (values.is_null(i)) buckets.set_null(i);
    }
  }
  return buckets;
}

}  // namespace kappa::operators
