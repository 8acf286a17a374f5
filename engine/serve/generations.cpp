#include "engine/serve/generations.h"

#include <algorithm>

namespace kappa::serve {

std::optional<double> GenerationStatus::eta_seconds() const {
  if (records_remaining <= 0) return 0;
  const double gain = records_per_second - arriving_per_second;
  if (gain <= 0) return std::nullopt;
  return static_cast<double>(records_remaining) / gain;
}

bool ViewDifference::equal() const {
  return incomparable.empty() && changed == 0 && added == 0 && removed == 0 &&
         columns_before.empty() && columns_after.empty();
}

bool Comparison::equal() const {
  return std::all_of(views.begin(), views.end(), [](const auto& view) { return view.equal(); });
}

}  // namespace kappa::serve
