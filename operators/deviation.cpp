#include "operators/deviation.h"

#include <array>
#include <bit>
#include <cmath>

#include "engine/types/decimal.h"
#include "operators/sums.h"

namespace kappa::operators {
namespace {

using uint128 = unsigned __int128;

// 256 bits without a sign, lowest first.
using Limbs = std::array<uint64_t, 4>;

Limbs multiply(const Limbs& a, const Limbs& b) {
  Limbs product{};
  for (size_t i = 0; i < 4; ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; i + j < 4; ++j) {
      const uint128 step = static_cast<uint128>(a[i]) * b[j] + product[i + j] + carry;
      product[i + j] = static_cast<uint64_t>(step);
      carry = static_cast<uint64_t>(step >> 64);
    }
  }
  return product;
}

// a - b, which is not below zero.
Limbs subtract(const Limbs& a, const Limbs& b) {
  Limbs difference{};
  uint64_t borrow = 0;
  for (size_t i = 0; i < 4; ++i) {
    const uint128 step = static_cast<uint128>(a[i]) - b[i] - borrow;
    difference[i] = static_cast<uint64_t>(step);
    borrow = static_cast<uint64_t>(step >> 64) != 0 ? 1 : 0;
  }
  return difference;
}

// The nearest double, ties to even: the highest 64 bits, the last of which stands for all below.
double to_double(const Limbs& limbs) {
  size_t top = 3;
  while (top > 0 && limbs[top] == 0) --top;
  if (top == 0) return static_cast<double>(limbs[0]);
  const int shift = std::countl_zero(limbs[top]);
  uint64_t bits = limbs[top] << shift;
  uint64_t rest = limbs[top - 1];
  if (shift > 0) {
    bits |= rest >> (64 - shift);
    rest <<= shift;
  }
  for (size_t i = 0; i + 1 < top; ++i) rest |= limbs[i];
  if (rest != 0) bits |= 1;
  return std::ldexp(static_cast<double>(bits), static_cast<int>(top) * 64 - shift);
}

Limbs limbs_of(uint128 value) {
  return {static_cast<uint64_t>(value), static_cast<uint64_t>(value >> 64), 0, 0};
}

std::optional<double> root(double squares, int64_t count, bool sample) {
  const int64_t divisor = sample ? count - 1 : count;
  if (count <= 0 || divisor == 0) return std::nullopt;
  return std::sqrt(squares / static_cast<double>(divisor));
}

}  // namespace

std::optional<double> deviation(int64_t count, int128 sum, const SumOfSquares& squares, bool sample,
                                int scale) {
  if (count <= 0 || sum == kSumOverflowed) return std::nullopt;
  const auto low = static_cast<uint128>(squares.low);
  const uint128 high = static_cast<uint128>(squares.high) + (low >> 64);
  const Limbs all = {static_cast<uint64_t>(low), static_cast<uint64_t>(high),
                     static_cast<uint64_t>(high >> 64), 0};
  const Limbs of_sum = limbs_of(static_cast<uint128>(sum < 0 ? -sum : sum));
  const double differences = to_double(
      subtract(multiply(all, limbs_of(static_cast<uint128>(count))), multiply(of_sum, of_sum)));
  const auto result = root(differences / static_cast<double>(count), count, sample);
  if (!result) return std::nullopt;
  return *result / static_cast<double>(power_of_ten(scale));
}

Moments merge_moments(const Moments& a, const Moments& b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  const int64_t count = a.count + b.count;
  const double part = static_cast<double>(b.count) / static_cast<double>(count);
  const double apart = b.mean - a.mean;
  return {.count = count,
          .mean = a.mean + apart * part,
          .squares = a.squares + b.squares + apart * apart * part * static_cast<double>(a.count)};
}

std::optional<double> deviation(const Moments& moments, bool sample) {
  return root(moments.squares, moments.count, sample);
}

}  // namespace kappa::operators
