#pragma once

#include <functional>

#include "absl/status/status.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/pipeline.h"

namespace kappa::replay {

// What the caller of a swap does at a moment at which both stand at one place, B, with everything
// in checkpoints, and nothing is taken from the log.
struct SwapSteps {
  // Makes durable, in one write, that `to` leads.
  std::function<absl::Status(const runtime::Pipeline::Standstill& at)> commit;
  // Then: lets `to` say what it has to say at B itself (handover.h). Empty: nothing.
  std::function<absl::Status()> hand_over = nullptr;
};

// Lets `to`, a follower, lead in the place of `from`: of the same product and order journal, both
// running.
//
//   from stops at B ─► to comes to B, takes over ─► commit ─► hand_over ─► from follows
//                                                                          └─► to goes on
//
// What was caused up to B has been published by `from`, what comes after is published by `to`, with
// numbers that go on; none twice, none missing. Reads are served by both throughout. A rollback is
// a swap the other way round.
//
// If it fails before `commit` has succeeded, `from` goes on leading and `to` following, and it may
// be tried again. A crash before the commit finds `from` as the leader, after it `to`.
//
// If handing over fails, both stand still: it is to be tried again, and then conclude_swap()
// called. An error after that is one of a pipeline that has failed; the other one goes on.
//
// DeadlineExceeded: `to` did not come to B in time, or the log did not take what `from` had to
// publish. `publisher`: the product's, which both use in turn; outlives both.
absl::Status swap(runtime::Pipeline& from, runtime::Pipeline& to, log::OutboxPublisher* publisher,
                  const SwapSteps& steps, runtime::Deadline deadline);

// The last steps of a swap: `from` follows, `to` goes on.
absl::Status conclude_swap(runtime::Pipeline& from, runtime::Pipeline& to);

}  // namespace kappa::replay
