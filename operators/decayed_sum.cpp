#include "operators/decayed_sum.h"

#include <algorithm>
#include <cmath>

namespace kappa::operators {
namespace {

using int128 = __int128;

int128 floor_divide(int128 a, int128 b) {
  const int128 quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

// Powers beyond these make a double zero or infinite anyway.
constexpr int128 kPowerMax = 5000;

int to_power(int128 power) {
  return static_cast<int>(std::clamp(power, -kPowerMax, kPowerMax));
}

}  // namespace

int64_t DecayedSum::landmark_after(int64_t time_us) const {
  const int128 apart = static_cast<int128>(half_life_us_) * kHalfLivesPerLandmark;
  return static_cast<int64_t>(floor_divide(time_us, apart)) + 1;
}

// Whole half-lives are powers of two, so only what is left of one is rounded.
double DecayedSum::weight(int64_t time_us, int64_t landmark) const {
  const int128 half_lives = floor_divide(time_us, half_life_us_);
  const auto rest = static_cast<int64_t>(time_us - half_lives * half_life_us_);
  const double part = std::exp2(static_cast<double>(rest) / static_cast<double>(half_life_us_));
  const int128 power = half_lives - static_cast<int128>(landmark) * kHalfLivesPerLandmark;
  return std::ldexp(part, to_power(power));
}

double DecayedSum::seen_from(int64_t later, double sum, int64_t landmark) {
  const int128 steps = static_cast<int128>(later) - landmark;
  return steps == 0 ? sum : std::ldexp(sum, to_power(-steps * kHalfLivesPerLandmark));
}

void DecayedSum::add(double value, int64_t time_us, bool first, int64_t* latest_us,
                     double* sum) const {
  int64_t landmark = landmark_after(time_us);
  if (!first) {
    const int64_t before = landmark_after(*latest_us);
    landmark = std::max(landmark, before);
    *sum = seen_from(landmark, *sum, before);
  }
  *latest_us = first ? time_us : std::max(*latest_us, time_us);
  // What is infinite does not decay, however little its weight is.
  *sum += std::isinf(value) ? value : value * weight(time_us, landmark);
}

void DecayedSum::merge(int64_t other_us, double other, int64_t* latest_us, double* sum) const {
  const int64_t ours = landmark_after(*latest_us);
  const int64_t theirs = landmark_after(other_us);
  const int64_t landmark = std::max(ours, theirs);
  *sum = seen_from(landmark, *sum, ours) + seen_from(landmark, other, theirs);
  *latest_us = std::max(*latest_us, other_us);
}

double DecayedSum::result(int64_t latest_us, double sum) const {
  return sum / weight(latest_us, landmark_after(latest_us));
}

}  // namespace kappa::operators
