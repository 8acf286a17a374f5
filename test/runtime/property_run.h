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

// One random product over random records that arrive while the pipeline runs live, on threads of
// its own, and while readers look. Its journal says in which order it took them; the model follows.
// Each look must be what the model shows at the look's place, over all views at once; in the end
// everything must be equal, and so must the dumps of replays by the journal.
absl::Status run_live_seed(uint64_t seed);

}  // namespace kappa::runtime
