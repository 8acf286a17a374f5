#pragma once

#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "operators/plan.h"

namespace kappa::operators {

// The result type of a function over a frame, or InvalidArgument if it does not take such a value.
// `argument` is kNull for count(*).
absl::StatusOr<Type> frame_result_type(FrameFunction function, Type argument);

// The standard deviation of values, in their order: their mean first, then the sum of the squares
// of what they differ by. Of a sample (n - 1), or of a population (n). None: too few values.
std::optional<double> standard_deviation(std::span<const double> values, bool sample);

}  // namespace kappa::operators
