// Following: the order of another pipeline, at a pace, and moments at a place that both have.

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

using operators::NodeId;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook{1};

}  // namespace

// One epoch of what the journal has, if the pace lets it.
absl::StatusOr<bool> LivePipeline::follow_turn() {
  const steady_clock::time_point begun = steady_clock::now();
  if (!stop_ && !pacer_.may_go(begun)) return false;
  const uint64_t read = journal_->bookmark().entry;
  uint64_t left = follow_to_ > read ? follow_to_ - read : 0;
  const uint64_t before = state_.records;
  KAPPA_ASSIGN_OR_RETURN(const bool applied, apply_next(&left));
  if (applied) {
    pacer_.note_turn(state_.records - before, begun, steady_clock::now(), pool_.workers());
  }
  return applied;
}

absl::Status LivePipeline::set_pace(const Pace& pace, Deadline deadline) {
  return run_between_epochs(
      [this, pace] {
        if (follows_) pacer_.set(pace);
      },
      deadline);
}

absl::Status LivePipeline::rest(Deadline deadline) {
  if (!follows_) return absl::FailedPreconditionError("the pipeline leads, and does not rest");
  return run_between_epochs([this] { follow_to_ = journal_->bookmark().entry; }, deadline);
}

absl::Status LivePipeline::stir(Deadline deadline) {
  return run_between_epochs([this] { follow_to_ = UINT64_MAX; }, deadline);
}

// Asks again and again until it is ready.
absl::StatusOr<Pipeline::EntryPin> LivePipeline::pin_between(Ready ready, std::vector<NodeId> views,
                                                             Deadline deadline) {
  const auto entries = std::make_shared<uint64_t>(0);
  const auto ready_at = [this, ready = std::move(ready), entries] {
    *entries = journal_->bookmark().entry;
    return ready();
  };
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> rows, pin_once(ready_at, views, deadline));
    if (rows) return EntryPin{*entries, std::move(rows)};
    if (steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(
          "the pipeline did not come to that place in the order in time");
    }
    std::this_thread::sleep_for(kLook);
  }
}

absl::StatusOr<Pipeline::EntryPin> LivePipeline::pin_between_entries(std::vector<NodeId> views,
                                                                     Deadline deadline) {
  return pin_between([this] { return between_entries(); }, std::move(views), deadline);
}

absl::StatusOr<Pipeline::EntryPin> LivePipeline::pin_behind(uint64_t entries,
                                                            std::vector<NodeId> views,
                                                            Deadline deadline) {
  const auto there = [this, entries]() -> absl::StatusOr<bool> {
    const uint64_t read = journal_->bookmark().entry;
    if (read > entries) {
      return absl::FailedPreconditionError(
          absl::StrCat("of the journal, ", read, " entries are applied, more than ", entries));
    }
    if (read < entries || !between_entries()) {
      follow_to_ = entries;
      return false;
    }
    return true;
  };
  absl::StatusOr<EntryPin> pinned = pin_between(there, std::move(views), deadline);
  post([this] { follow_to_ = UINT64_MAX; });
  return pinned;
}

}  // namespace kappa::runtime
