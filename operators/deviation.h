#pragma once

#include <cstdint>
#include <optional>

#include "engine/types/column.h"

// Standard deviations from what a group keeps of its values.
namespace kappa::operators {

// Of integers and decimals, exactly: their sum, and that of their squares in two halves, of which
// each square gives its low and its high 64 bits. The halves are sums of their own, so what they
// are depends neither on order nor on what came and went.
struct SumOfSquares {
  int128 low;
  int128 high;
};

inline SumOfSquares square(int64_t value) {
  const auto wide = static_cast<int128>(value) * value;
  return {static_cast<int128>(static_cast<uint64_t>(wide)), wide >> 64};
}

// sqrt((count * sum of squares - sum²) / (count * (count - 1))), or with count² for that of the
// population, of values that have `scale` digits after the point. The numerator is exact and
// rounded once. NULL if there are too few values.
std::optional<double> deviation(int64_t count, int128 sum, const SumOfSquares& squares, bool sample,
                                int scale);

// Of doubles: mean and sum of squared differences from it, as values come (Welford, Note on a
// Method for Calculating Corrected Sums of Squares and Products, 1962). They depend on the order.
struct Moments {
  int64_t count;
  double mean;
  double squares;
};

inline void add_to_moments(int64_t& count, double& mean, double& squares, double value) {
  ++count;
  const double from_old = value - mean;
  mean += from_old / static_cast<double>(count);
  squares += from_old * (value - mean);
}

// Those of the values of both (Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm
// for Computing Sample Variances, 1979).
Moments merge_moments(const Moments& a, const Moments& b);

std::optional<double> deviation(const Moments& moments, bool sample);

}  // namespace kappa::operators
