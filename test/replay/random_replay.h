#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace kappa::replay {

// One random product over random records, in two generations of the same logic, both running while
// the records arrive: one leads, the other replays and follows, with other numbers of workers and
// other epoch limits, at paces that change, paused now and then. On the way it is killed and goes
// on from its own checkpoint, or is made anew; both are killed at once; they are compared at a
// place that both pass; they are swapped, and swaps fail before they are written down.
//
// In the end the canonical dumps of both and of a recomputation are equal, their views the naive
// model's, and what has been published is the model's, each output once.
//
// An error says what differs and what was run: the statements and the steps.
absl::Status run_replay_seed(uint64_t seed);

}  // namespace kappa::replay
