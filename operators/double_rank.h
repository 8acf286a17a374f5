#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace kappa::operators {

// Integers in the order of doubles as PostgreSQL has it: -0.0 is 0.0, and every NaN the same one,
// behind all numbers.
inline int64_t rank_of(double value) {
  if (std::isnan(value)) return std::numeric_limits<int64_t>::max();
  const auto bits = std::bit_cast<int64_t>(value + 0.0);
  // Negative numbers ascend as their bits descend.
  return bits < 0 ? ~bits ^ std::numeric_limits<int64_t>::min() : bits;
}

// The value that has this rank.
inline double value_of_rank(int64_t rank) {
  if (rank == std::numeric_limits<int64_t>::max()) return std::numeric_limits<double>::quiet_NaN();
  return std::bit_cast<double>(rank < 0 ? ~rank ^ std::numeric_limits<int64_t>::min() : rank);
}

}  // namespace kappa::operators
