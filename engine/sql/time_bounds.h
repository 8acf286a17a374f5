#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "operators/expression.h"

namespace kappa::sql {

// How far apart two event times may be: from_us <= right - left <= to_us.
struct TimeBounds {
  std::optional<int64_t> from_us;
  std::optional<int64_t> to_us;

  void narrow(const TimeBounds& other);
};

// Takes the conditions that bound the distance of two columns, `left` and `right`, by constants out
// of `conditions`: right <= left + INTERVAL '5 minutes', and whatever means the like.
TimeBounds take_time_bounds(int left, int right, std::vector<operators::ExprRef>* conditions);

}  // namespace kappa::sql
