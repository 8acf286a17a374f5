#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/reads.h"
#include "engine/serve/generations.h"
#include "operators/plan.h"

namespace kappa::replay {

// A moment of a generation, with all views of its plan pinned. Both outlive the call.
struct Moment {
  const operators::Plan& plan;
  runtime::Snapshot& rows;
};

// Compares two moments view by view, by name: rows with equal keys, over the columns that both
// have (by name and type), null equal to null and NaN to NaN. By name, ascending; views that only
// one of them has are counted.
//
// Rows are never held all at once: of each row of a view a hash of its key, and one of each column,
// is kept in memory (16 + 4 bytes a column), the views one after another. Keys are told apart by
// 128 bits and values by 64 (of a row) and 32 (of a column).
//
// DeadlineExceeded, Unavailable: as the snapshots say. ResourceExhausted: a view's hashes would
// take more than `memory_bytes_max`.
absl::StatusOr<std::vector<serve::ViewDifference>> compare(const Moment& before,
                                                           const Moment& after, size_t samples_max,
                                                           size_t memory_bytes_max);

}  // namespace kappa::replay
