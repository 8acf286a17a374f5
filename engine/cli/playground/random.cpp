#include "engine/cli/playground/random.h"

#include <algorithm>

namespace kappa::cli::playground {

Zipf::Zipf(const std::vector<uint32_t>& ranks, double shift) {
  double sum = 0;
  cumulative_.reserve(ranks.size());
  for (const uint32_t rank : ranks) {
    sum += 1.0 / (static_cast<double>(rank) + shift);
    cumulative_.push_back(sum);
  }
}

size_t Zipf::pick(Random& random) const {
  const double at = random.fraction() * cumulative_.back();
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
  return std::min(static_cast<size_t>(found - cumulative_.begin()), cumulative_.size() - 1);
}

}  // namespace kappa::cli::playground
