#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace kappa::runtime {

// One random product over random records, on the engine and on the naive model:
//
//   live: records arrive in portions; entries, ticks, checkpoints and kills between them; then the
//     views, what waits, and everything that was published equal the model's
//   by the journal: other numbers of workers, other epoch limits, a kill in the middle; the
//     canonical dumps equal the live one's
//   as history: the whole log as one entry; the views equal the model's of that order, and the
//     dumps of several numbers of workers each other
//
// An error says what differs and what was run: the statements and, with `steps`, every record and
// step until then.
absl::Status run_seed(uint64_t seed, bool steps);

}  // namespace kappa::runtime
