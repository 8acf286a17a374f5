#pragma once

#include <cstdint>

namespace kappa::operators {

// decayed_sum(x, half_life) of a group: the sum of x · 2^-((T - t) / half_life) over its rows, t
// being their event time and T the latest of them.
//
// It is kept by forward decay (Cormode, Shkapenyuk, Srivastava and Xu, Forward Decay: A Practical
// Time Decay Model for Streaming Systems, 2009): each row is added once, with the weight
// 2^((t - L) / half_life) seen from a fixed landmark L, and what is read is the sum divided by the
// weight of T. Landmarks are the multiples of 64 half-lives since 1970; L is the first one after T.
// When T passes one, the sum is multiplied by 2^-64 for each step, which is exact: so weights stay
// between 0 and 1 for ever, and the sum is what the landmark of the end would have given from the
// start, in the rows' order.
class DecayedSum {
 public:
  static constexpr int64_t kHalfLivesPerLandmark = 64;

  explicit DecayedSum(int64_t half_life_us) : half_life_us_(half_life_us) {}

  // Adds a row to a sum whose latest event time is `*latest_us`; `first` if it has no row yet.
  void add(double value, int64_t time_us, bool first, int64_t* latest_us, double* sum) const;
  // Adds another sum, whose latest event time is `other_us`, to a sum that has rows too.
  void merge(int64_t other_us, double other, int64_t* latest_us, double* sum) const;
  double result(int64_t latest_us, double sum) const;

 private:
  // Which landmark, counted from 1970, comes after a time.
  int64_t landmark_after(int64_t time_us) const;
  // A sum seen from a later landmark, or the same.
  static double seen_from(int64_t later, double sum, int64_t landmark);
  // 2^((time - landmark) / half-life).
  double weight(int64_t time_us, int64_t landmark) const;

  int64_t half_life_us_;
};

}  // namespace kappa::operators
