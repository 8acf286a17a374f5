#pragma once

#include "absl/status/status.h"
#include "operators/plan.h"
#include "test/runtime/model/plan.h"

namespace kappa::runtime {

// In which order rows come that several nodes give out at one place is up to the plan: to how deep
// a node is and to its number. The model's plan is another one, so it is told what the engine's
// says, node by node. An error: the two do not have the same windows and joins in the same order.
absl::Status take_timer_order(const operators::Plan& from, model::Plan* to);

}  // namespace kappa::runtime
