// Who leads: a leader that stands still, and a follower that takes its place.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

constexpr std::chrono::milliseconds kLook{1};

absl::Status does_not_stand() {
  return absl::FailedPreconditionError("the pipeline does not stand still");
}

}  // namespace

// A leader that stands still has all that was taken applied and in a checkpoint.
bool LivePipeline::is_durable() const {
  return standing_ && between_entries() && !changed_ && checkpointer_->idle() &&
         checkpointer_->status().ok();
}

// And published.
bool LivePipeline::stands_still() const {
  return is_durable() && delivery_.mark().published_to >= state_.outbox_next;
}

absl::Status LivePipeline::wait_until(bool (LivePipeline::*still)() const, Deadline deadline,
                                      std::shared_ptr<Standstill> at) const {
  const auto is_still = std::make_shared<bool>(false);
  while (true) {
    KAPPA_RETURN_IF_ERROR(run_between_epochs(
        [this, still, is_still, at] {
          *is_still = (this->*still)();
          if (*is_still) *at = {journal_->bookmark().entry, state_.outbox_next, said_to()};
        },
        deadline));
    if (*is_still) return absl::OkStatus();
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(
          "what had been taken was not applied, stored and published in time");
    }
    std::this_thread::sleep_for(kLook);
  }
}

absl::StatusOr<Pipeline::Standstill> LivePipeline::hold(Deadline deadline) {
  if (!running_) return absl::FailedPreconditionError("the pipeline does not run");
  if (follows_) {
    return absl::FailedPreconditionError("the pipeline follows another one, which is to be held");
  }
  KAPPA_RETURN_IF_ERROR(run_between_epochs([this] { standing_ = true; }, deadline));
  const auto at = std::make_shared<Standstill>();
  const absl::Status still = wait_until(&LivePipeline::stands_still, deadline, at);
  if (still.ok()) return *at;
  post([this] { standing_ = false; });
  return still;
}

absl::Status LivePipeline::release(Deadline deadline) {
  const auto said = std::make_shared<absl::Status>();
  KAPPA_RETURN_IF_ERROR(run_between_epochs(
      [this, said] {
        *said = say_kept();
        if (said->ok()) standing_ = false;
      },
      deadline));
  return *said;
}

absl::Status LivePipeline::take_over(const Standstill& at, log::OutboxPublisher* publisher,
                                     Deadline deadline) {
  if (!running_) return absl::FailedPreconditionError("the pipeline does not run");
  if (!follows_) return absl::FailedPreconditionError("the pipeline leads already");
  // What became of an attempt; Unavailable: it is not there yet.
  const auto taken = std::make_shared<absl::Status>();
  while (true) {
    KAPPA_RETURN_IF_ERROR(run_between_epochs(
        [this, at, publisher, taken] { *taken = become_leader(at, publisher); }, deadline));
    if (!absl::IsUnavailable(*taken)) break;
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(taken->message());
    }
    std::this_thread::sleep_for(kLook);
  }
  KAPPA_RETURN_IF_ERROR(*taken);
  const absl::Status still =
      wait_until(&LivePipeline::stands_still, deadline, std::make_shared<Standstill>());
  if (!still.ok()) post([this] { become_follower(); });
  return still;
}

absl::Status LivePipeline::become_leader(const Standstill& at, log::OutboxPublisher* publisher) {
  const uint64_t applied = journal_->bookmark().entry;
  if (!between_entries() || applied < at.entries || state_.rest || !checkpointer_->idle()) {
    return absl::UnavailableError(absl::StrCat("of the journal's ", at.entries, " entries, ",
                                               applied, " are applied so far"));
  }
  if (applied > at.entries) {
    return absl::FailedPreconditionError("the former leader has not stood still");
  }
  KAPPA_RETURN_IF_ERROR(journal_->write_from_here());
  standing_ = true;
  follows_ = false;
  // What the journal carries on besides is this one's from now on.
  const absl::Status carries = take_new_partitions();
  if (!carries.ok()) {
    standing_ = false;
    follows_ = true;
    return carries;
  }
  pacer_.set({});
  follow_to_ = UINT64_MAX;
  state_.outbox_next = at.outbox_next;
  take_up_finals(at.said_to);
  outbox_.mute(false);
  want_outputs();
  publisher->set_compacted(operators::compacted_topics(plan_));
  delivery_.take_up(publisher, at.outbox_next);
  changed_ = true;  // a checkpoint of its own makes it so for good
  return absl::OkStatus();
}

void LivePipeline::become_follower() {
  delivery_.let_go();
  outbox_.mute(true);
  state_.final_from.clear();
  keep_from_us_.clear();
  want_outputs();
  follows_ = true;
  standing_ = false;
}

absl::Status LivePipeline::join(const std::vector<std::string>& topics, Deadline deadline) {
  if (follows_) return absl::FailedPreconditionError("the pipeline follows another one's order");
  const auto joined = std::make_shared<std::optional<absl::Status>>();
  while (true) {
    KAPPA_RETURN_IF_ERROR(run_between_epochs(
        [this, topics, joined] {
          if (between_entries()) *joined = write_join(topics);
        },
        deadline));
    if (*joined && !absl::IsUnavailable(**joined)) return **joined;
    if (std::chrono::steady_clock::now() > deadline) {
      return *joined ? **joined
                     : absl::DeadlineExceededError("the pipeline was in the midst of an entry");
    }
    std::this_thread::sleep_for(kLook);
  }
}

// Between entries.
absl::Status LivePipeline::write_join(const std::vector<std::string>& topics) {
  std::set<std::string> fresh(topics.begin(), topics.end());
  for (size_t p = 0; p < reader_->partitions(); ++p) fresh.erase(reader_->partition(p).topic);
  if (fresh.empty()) return absl::OkStatus();
  JournalEntry entry{JournalEntry::Kind::kJoin, std::max(clock_->now(), order_clock_), {}};
  std::vector<TopicPartition> partitions;
  for (const std::string& topic : fresh) {
    KAPPA_ASSIGN_OR_RETURN(const log::TopicInfo info, log_->topic(topic));
    for (int32_t p = 0; p < info.config.partitions; ++p) partitions.push_back({topic, p});
  }
  // Read as if from its start, to see where it ends.
  KAPPA_ASSIGN_OR_RETURN(const OrderReader from_start,
                         OrderReader::open(*log_, {fresh.begin(), fresh.end()}, {}));
  KAPPA_ASSIGN_OR_RETURN(const std::optional<JournalEntry> history,
                         from_start.describe_backlog(entry.clock));
  if (history) entry.advances = history->advances;
  for (const TopicPartition& partition : partitions) {
    KAPPA_RETURN_IF_ERROR(journal_->introduce(partition));
  }
  KAPPA_RETURN_IF_ERROR(take_new_partitions());
  if (entry.advances.empty()) return journal_->sync();
  KAPPA_RETURN_IF_ERROR(append_entry(std::move(entry)));
  return running_ ? absl::OkStatus() : apply_entry();
}

absl::Status LivePipeline::give_up(Deadline deadline) {
  const auto given = std::make_shared<absl::Status>();
  KAPPA_RETURN_IF_ERROR(run_between_epochs(
      [this, given] {
        if (follows_ || !stands_still()) {
          *given = does_not_stand();
          return;
        }
        become_follower();
      },
      deadline));
  return *given;
}

absl::StatusOr<Pipeline::Standstill> LivePipeline::standstill(Deadline deadline) {
  const auto stands = std::make_shared<bool>(false);
  KAPPA_RETURN_IF_ERROR(
      run_between_epochs([this, stands] { *stands = standing_ && !follows_; }, deadline));
  if (!*stands) return does_not_stand();
  const auto at = std::make_shared<Standstill>();
  KAPPA_RETURN_IF_ERROR(wait_until(&LivePipeline::is_durable, deadline, at));
  return *at;
}

absl::Status LivePipeline::add_outputs(std::vector<OutputRecord> records, Deadline deadline) {
  if (!running_) return absl::FailedPreconditionError("the pipeline does not run");
  const auto added = std::make_shared<absl::Status>();
  const auto given = std::make_shared<std::vector<OutputRecord>>(std::move(records));
  KAPPA_RETURN_IF_ERROR(run_between_epochs(
      [this, added, given] {
        if (follows_ || !standing_ || !between_entries()) {
          *added = does_not_stand();
          return;
        }
        // Before the first entry the order has no time.
        outbox_.add(std::move(*given), std::max(order_clock_, LogTime{0}), &state_);
        changed_ = true;
      },
      deadline));
  KAPPA_RETURN_IF_ERROR(*added);
  return standstill(deadline).status();
}

}  // namespace kappa::runtime
