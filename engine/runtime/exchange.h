#pragma once

#include <cstdint>
#include <vector>

#include "engine/types/batch.h"

namespace kappa::runtime {

// Puts batches, each ascending by place, together into one that is. Rows of one place: a timer's by
// their ties; else in the order of the batches, which is that of the operator's inputs.
Batch merge_batches(const std::vector<const Batch*>& batches);

// Deals rows out to workers by the key group of their key: appends worker w's rows, in order, to
// (*parts)[w], if it gets any.
void split_by_key(const Batch& batch, const std::vector<int>& key,
                  std::vector<std::vector<Batch>>* parts);

}  // namespace kappa::runtime
