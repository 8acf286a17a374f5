#pragma once

#include <functional>

#include "absl/status/status.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/pipeline.h"

namespace kappa::replay {

// Lets `to`, a follower, lead in the place of `from`: of the same product and order journal, both
// running. `commit` makes that durable, in one write; it is called at a moment at which both stand
// at one place, B, with everything in checkpoints, and nothing is taken from the log.
//
//   from stops at B ─► to comes to B, takes over ─► commit ─► from follows ─► to goes on
//
// What was caused up to B has been published by `from`, what comes after is published by `to`, with
// numbers that go on; none twice, none missing. Reads are served by both throughout. A rollback is
// a swap the other way round.
//
// If it fails before `commit` has succeeded, `from` goes on leading and `to` following, and it may
// be tried again. A crash before the commit finds `from` as the leader, after it `to`.
//
// An error after that is one of a pipeline that has failed; the other one goes on.
//
// DeadlineExceeded: `to` did not come to B in time, or the log did not take what `from` had to
// publish. `publisher`: the product's, which both use in turn; outlives both.
absl::Status swap(runtime::Pipeline& from, runtime::Pipeline& to, log::OutboxPublisher* publisher,
                  const std::function<absl::Status()>& commit, runtime::Deadline deadline);

}  // namespace kappa::replay
