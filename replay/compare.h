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
// have (by name and type), null equal to null, NaN to NaN and -0.0 to 0.0. By name, ascending; of
// views that only one of them has, or with another key, the rows are counted. Columns of a view's
// key may stand in another order. A column that the other one has with another type is named with
// its own: "n (bigint)".
//
// The rows of a view keyed by record do not show their key. They are told apart by all columns that
// both have, equal ones counted: a row with another value is one removed and one added.
//
// Rows are never held all at once: of each row of the later moment hashes are kept in memory (28
// bytes, 4 for each column that is not of the key, and 11 to 21 to find them by), the views one
// after another. Keys are told apart by 128 bits and values by 64 (of a row) and 32 (of a column).
// Both moments are read from their first rows on; the later one once more if added rows are to be
// shown. `samples_max` rows of each kind are: changed ones first, then added, then removed ones.
//
// DeadlineExceeded, Unavailable: as the snapshots say. ResourceExhausted: a view's hashes would
// take more than `memory_bytes_max`.
absl::StatusOr<std::vector<serve::ViewDifference>> compare(const Moment& before,
                                                           const Moment& after, size_t samples_max,
                                                           size_t memory_bytes_max);

}  // namespace kappa::replay
