#pragma once

#include <vector>

#include "operators/operator.h"

namespace kappa::operators {

// Sends each erring insert of `input` to the dead letters; an erring retraction takes back a row
// that was never passed on, and is not counted again. `errors` ascend by row, one a row.
void report_errors(NodeId node, const Batch& input, const std::vector<RowError>& errors,
                   const OperatorContext& context);

// The rows of `batch` that are not in `errors`.
Batch without_errors(const Batch& batch, const std::vector<RowError>& errors);

}  // namespace kappa::operators
