#pragma once

#include <memory>

#include "operators/kept_frames.h"
#include "operators/operator.h"

namespace kappa::operators {

// The operator of a SlidingNode, by its method.
std::unique_ptr<Operator> make_sliding(const Plan& plan, NodeId node);

}  // namespace kappa::operators
