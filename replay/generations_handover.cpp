// Generations: what a new leader says in its first moment, in topics that hold relations by key.

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"
#include "replay/changed_outputs.h"
#include "replay/generations.h"
#include "replay/handover.h"
#include "replay/swap.h"

namespace kappa::replay {

using runtime::Deadline;
using std::chrono::steady_clock;

namespace {

// Both pipelines stand still and are at hand, so this is for one that hangs.
Deadline patience() {
  return steady_clock::now() + std::chrono::hours(1);
}

Deadline soon() {
  return steady_clock::now() + std::chrono::seconds(10);
}

}  // namespace

absl::Status Generations::check_handover(const operators::Plan& plan,
                                         const schemas::ProductFiles& protos,
                                         const FileTexts& files) const {
  const std::shared_ptr<Generation> leader = live();
  return check_readable(changed_outputs(logic_of(*leader), {plan, protos}), plan, files);
}

absl::Status Generations::hand_over(Generation& from, Generation& to) {
  const std::optional<state::Handover> pending = info().handover;
  if (!pending) return absl::OkStatus();
  const absl::Status done = hand_over(from, to, *pending);
  if (done.ok()) return done;
  return {done.code(),
          absl::StrCat("generation ", to.id,
                       " is live, and takes records once the topics that "
                       "hold rows by key are handed over to it, which is tried again: ",
                       done.message())};
}

absl::Status Generations::hand_over(Generation& from, Generation& to,
                                    const state::Handover& pending) {
  KAPPA_ASSIGN_OR_RETURN(const auto at, to.pipeline->standstill(patience()));
  if (at.outbox_next == pending.outbox_next) {
    const Standing before{logic_of(from), *from.pipeline};
    const Standing after{logic_of(to), *to.pipeline};
    KAPPA_ASSIGN_OR_RETURN(
        std::vector<runtime::OutputRecord> records,
        difference(changed_outputs(before.logic, after.logic), before, after,
                   {surroundings_.log, surroundings_.pipeline.patience}, patience()));
    fail_here_if_asked("handover.computed");
    if (!records.empty()) {
      KAPPA_RETURN_IF_ERROR(to.pipeline->add_outputs(std::move(records), patience()));
    }
    fail_here_if_asked("handover.durable");
  }
  KAPPA_RETURN_IF_ERROR(change([](state::ProductInfo& info) { info.handover.reset(); }));
  fail_here_if_asked("handover.forgotten");
  return absl::OkStatus();
}

absl::Status Generations::finish_handover() {
  const std::optional<state::Handover> pending = info().handover;
  if (!pending) return absl::OkStatus();
  const std::shared_ptr<Generation> to = live();
  const absl::StatusOr<std::shared_ptr<Generation>> runs = running(pending->from);
  std::shared_ptr<Generation> from;
  if (runs.ok()) {
    from = *runs;
  } else {
    // It is where it was at the swap, for the order has not gone on since.
    const state::ProductInfo known = info();
    const state::GenerationInfo* former = known.find(pending->from);
    if (!former) {
      return absl::DataLossError(absl::StrCat("the catalogue does not hold generation ",
                                              pending->from, ", from which it hands over"));
    }
    forget(pending->from);
    KAPPA_ASSIGN_OR_RETURN(from, open_generation(surroundings_, *former, Role::kFollows));
  }
  KAPPA_RETURN_IF_ERROR(hand_over(*from, *to));
  {
    const std::lock_guard lock(mutex_);
    failures_.erase(to->id);
  }
  const bool leads = runs.ok() && !from->pipeline->stats().follows;
  return leads ? conclude_swap(*from->pipeline, *to->pipeline) : to->pipeline->release(soon());
}

}  // namespace kappa::replay
