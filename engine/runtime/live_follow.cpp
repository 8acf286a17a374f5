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

// ---- what another generation has brought along -----------------------------------------------

void LivePipeline::set_resting(const Rest& rest) {
  std::vector<bool> nodes(plan_.nodes.size(), false);
  for (const auto& [node, at] : rest.nodes) {
    if (node < nodes.size()) nodes[node] = true;
  }
  flow_->set_resting(std::move(nodes));
}

// Topics that nobody reads for now.
std::set<std::string> LivePipeline::topics_at_rest() const {
  std::set<std::string> resting;
  std::set<std::string> read;
  for (const operators::PlanNode& node : plan_.nodes) {
    const auto* source = std::get_if<operators::SourceNode>(&node.op);
    if (!source) continue;
    const std::string& topic = plan_.sources[static_cast<size_t>(source->source)].topic;
    (flow_->shape().rests(node.id) ? resting : read).insert(topic);
  }
  for (const std::string& topic : read) resting.erase(topic);
  return resting;
}

// Once the order has come to where their state is from, nodes that rest go on with everybody else.
// Unavailable: the log does not answer, and nothing has changed.
absl::Status LivePipeline::wake_if_there() {
  if (!state_.rest || !between_entries()) return absl::OkStatus();
  if (journal_->bookmark().entry < state_.rest->until_entries) return absl::OkStatus();
  std::vector<PartitionPlace> places = reader_->places();
  const auto& theirs = state_.rest->partitions;
  places.insert(places.end(), theirs.begin(), theirs.end());
  flow_->set_resting({});
  absl::StatusOr<OrderReader> reader = open_reader(places);
  if (!reader.ok()) {
    set_resting(*state_.rest);
    return reader.status();
  }
  reader_ = *std::move(reader);
  state_.records += state_.rest->records;
  records_at_start_ += state_.rest->records;  // they were not applied here
  state_.rest.reset();
  watermarks_.wake();
  applied_ = read_position();
  changed_ = true;
  return absl::OkStatus();
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
    if (read < entries || state_.rest || !between_entries()) {
      follow_to_ = entries;
      return false;
    }
    return true;
  };
  absl::StatusOr<EntryPin> pinned = pin_between(there, std::move(views), deadline);
  post([this] { follow_to_ = UINT64_MAX; });
  return pinned;
}

// ---- a copy ------------------------------------------------------------------------------------

absl::Status LivePipeline::copy_state(const std::string& directory, Deadline deadline) {
  if (!running_) return absl::FailedPreconditionError("the pipeline does not run");
  const auto copy = std::make_shared<StateCopy>();
  copy->directory = directory;
  KAPPA_RETURN_IF_ERROR(run_between_epochs([this, copy] { copy_ = copy; }, deadline));
  while (!copy->done) {
    const bool late = steady_clock::now() > deadline;
    const auto given_up = std::make_shared<bool>(false);
    // What has begun is waited for: it may be in the directory already.
    KAPPA_RETURN_IF_ERROR(run_between_epochs(
        [this, copy, late, given_up] {
          if (!late || copy->begun) return;
          *given_up = true;
          copy_.reset();
        },
        steady_clock::now() + std::chrono::hours(1)));
    if (*given_up) {
      return absl::DeadlineExceededError("the pipeline was in the midst of an entry all the time");
    }
    std::this_thread::sleep_for(kLook);
  }
  return copy->result;
}

}  // namespace kappa::runtime
