#include "replay/swap.h"

#include <chrono>

#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"

namespace kappa::replay {
namespace {

// Handing back is given time of its own: it must not fail because the swap took too long.
runtime::Deadline soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(10);
}

}  // namespace

absl::Status swap(runtime::Pipeline& from, runtime::Pipeline& to, log::OutboxPublisher* publisher,
                  const SwapSteps& steps, runtime::Deadline deadline) {
  KAPPA_ASSIGN_OR_RETURN(const runtime::Pipeline::Standstill at, from.hold(deadline));
  fail_here_if_asked("swap.held");
  absl::Status taken = to.take_over(at, publisher, deadline);
  fail_here_if_asked("swap.taken_over");
  if (taken.ok()) {
    taken = steps.commit(at);
    fail_here_if_asked("swap.committed");
    if (!taken.ok()) taken.Update(to.give_up(soon()));
  }
  if (!taken.ok()) {
    taken.Update(from.release(soon()));
    return taken;
  }
  if (steps.hand_over) KAPPA_RETURN_IF_ERROR(steps.hand_over());
  return conclude_swap(from, to);
}

absl::Status conclude_swap(runtime::Pipeline& from, runtime::Pipeline& to) {
  absl::Status done = from.give_up(soon());
  done.Update(to.release(soon()));
  return done;
}

}  // namespace kappa::replay
