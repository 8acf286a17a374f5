#pragma once

#include "operators/operator.h"

namespace kappa::operators {

// Row `row` of a node's input, whose columns `schema` names, as one that came too late.
SideRow late_row(const Schema& schema, const Batch& input, size_t row, NodeId node);

}  // namespace kappa::operators
