// The order: entries are written or followed, and applied epoch by epoch.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/runtime/patience.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

absl::Status LivePipeline::append_entry(JournalEntry entry) {
  // A backlog's entry must not outlive its records: they are made durable first.
  const bool history =
      entry.kind == JournalEntry::Kind::kHistory || entry.kind == JournalEntry::Kind::kJoin;
  if (history) KAPPA_RETURN_IF_ERROR(log_->sync());
  KAPPA_RETURN_IF_ERROR(journal_->append(entry));
  if (history) KAPPA_RETURN_IF_ERROR(journal_->sync());
  order_clock_ = entry.clock;
  reader_->begin(std::move(entry));
  return absl::OkStatus();
}

absl::Status LivePipeline::fill_from_entry(Epoch& epoch) {
  return reader_->fill(epoch, turn_records_max());
}

// Applies what is left of the entry that reader_ shows.
absl::Status LivePipeline::apply_entry() {
  while (reader_->entry() || ahead_filled_) {
    KAPPA_RETURN_IF_ERROR(with_patience(options_.patience, [this] {
                            return next_turn(
                                [this](Epoch& epoch) { return fill_from_entry(epoch); },
                                [this] { return reader_->entry() != nullptr; });
                          }).status());
  }
  return absl::OkStatus();
}

absl::Status LivePipeline::fill_from_journal(Epoch& epoch, uint64_t* entries_left) {
  const size_t records_max = pacer_.turn_records_max(turn_records_max());
  while (epoch.size() < records_max) {
    if (!reader_->entry()) {
      if (*entries_left == 0) return absl::OkStatus();
      // Those that rest wake between two turns.
      if (state_.rest && journal_->bookmark().entry >= state_.rest->until_entries) {
        return absl::OkStatus();
      }
      const JournalBookmark before = journal_->bookmark();
      KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> entry, journal_->next());
      if (!entry) return absl::OkStatus();
      // A topic has grown since the reader was opened, and this is where the live pipeline saw it.
      if (reader_->lacks_partition_of(*entry)) {
        KAPPA_RETURN_IF_ERROR(journal_->resume(before));
        if (epoch.size() > 0 || beside_turn_) return absl::OkStatus();
        KAPPA_RETURN_IF_ERROR(take_new_partitions());
        if (!reader_->lacks_partition_of(*entry)) continue;
        return absl::UnavailableError(
            "the order journal has a partition that the log does not show yet");
      }
      --*entries_left;
      order_clock_ = entry->clock;
      reader_->begin(*std::move(entry));
    }
    KAPPA_RETURN_IF_ERROR(reader_->fill(epoch, records_max));
  }
  return absl::OkStatus();
}

// The log does not hold what an entry says. One that no checkpoint covers and of which nothing was
// applied never took effect outside, so it is cut and the order goes on from before it.
absl::Status LivePipeline::cut_journal(const absl::Status& why) {
  const std::string message(why.message());
  if (follows_) return absl::DataLossError(message);
  // Entries are whole or not: read again from what is applied, the last that matches is the end.
  const Place before = place();
  KAPPA_RETURN_IF_ERROR(journal_->resume(before.journal));
  KAPPA_RETURN_IF_ERROR(rewind_to(before));
  Epoch scratch(flow_->shape().topics().size(), 1);
  const auto read_entry = [&]() -> absl::Status {
    while (reader_->entry()) {
      scratch.clear();
      KAPPA_RETURN_IF_ERROR(
          with_patience(options_.patience, [&] { return fill_from_entry(scratch); }));
    }
    return absl::OkStatus();
  };
  const absl::Status unfinished = read_entry();
  if (absl::IsUnavailable(unfinished)) return unfinished;
  if (!unfinished.ok()) {
    return absl::DataLossError(absl::StrCat(message, "; a checkpoint covers records before it"));
  }
  while (true) {
    const JournalBookmark here = journal_->bookmark();
    KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> entry, journal_->next());
    if (!entry) break;
    reader_->begin(*std::move(entry));
    const absl::Status read = read_entry();
    if (absl::IsUnavailable(read)) return read;
    if (!read.ok()) {
      KAPPA_RETURN_IF_ERROR(journal_->cut(here));
      break;
    }
  }
  KAPPA_RETURN_IF_ERROR(journal_->resume(before.journal));
  return rewind_to(before);
}

// Entries may have nothing for this plan: then no epoch has brought it behind them.
void LivePipeline::note_passed() {
  if (!between_entries() || applied_.journal.entry == journal_->bookmark().entry) return;
  applied_ = read_position();
  changed_ = true;
}

// Applies one epoch of the journal's next entries. False: there is nothing (more) to apply.
absl::StatusOr<bool> LivePipeline::apply_next(uint64_t* entries_left) {
  const auto fill = [this, entries_left](Epoch& epoch) {
    const uint64_t left_before = *entries_left;
    absl::Status filled = fill_from_journal(epoch, entries_left);
    if (!filled.ok()) *entries_left = left_before;
    return filled;
  };
  absl::StatusOr<bool> applied = next_turn(fill, [this] { return !stop_; });
  if (applied.ok() && !*applied) note_passed();
  if (applied.ok()) KAPPA_RETURN_IF_ERROR(wake_if_there());
  if (!absl::IsAborted(applied.status())) return applied;
  KAPPA_RETURN_IF_ERROR(cut_journal(applied.status()));
  return true;
}

// ---- by hand --------------------------------------------------------------------------------

absl::Status LivePipeline::require_by_hand() const {
  if (running_)
    return absl::FailedPreconditionError("the pipeline runs by itself: stop() it first");
  return failure();
}

// What stands still is where a swap has left it, until that is done.
absl::Status LivePipeline::require_to_go_on() const {
  KAPPA_RETURN_IF_ERROR(require_by_hand());
  if (!standing_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a swap of generations is still to be concluded: kappa serve does that when it starts");
}

absl::Status LivePipeline::advance() {
  KAPPA_RETURN_IF_ERROR(require_to_go_on());
  const LogTime clock = std::max(clock_->now(), order_clock_);
  if (log_->partitions_version() != partitions_version_) {
    KAPPA_RETURN_IF_ERROR(take_new_partitions());
  }
  KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> entry, with_patience(options_.patience, [&] {
                           return reader_->describe_backlog(clock);
                         }));
  if (!entry) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(append_entry(*std::move(entry)));
  return apply_entry();
}

absl::Status LivePipeline::append_moment(JournalEntry::Kind kind) {
  KAPPA_RETURN_IF_ERROR(require_to_go_on());
  KAPPA_RETURN_IF_ERROR(append_entry({kind, std::max(clock_->now(), order_clock_), {}}));
  return apply_entry();
}

absl::Status LivePipeline::tick() {
  return append_moment(JournalEntry::Kind::kTick);
}

absl::Status LivePipeline::complete() {
  return append_moment(JournalEntry::Kind::kEnd);
}

absl::Status LivePipeline::checkpoint() {
  KAPPA_RETURN_IF_ERROR(require_by_hand());
  begin_checkpoint();
  return checkpointer_->complete_now();
}

absl::Status LivePipeline::follow(uint64_t entries_max) {
  KAPPA_RETURN_IF_ERROR(require_by_hand());
  uint64_t left = entries_max;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const bool applied,
                           with_patience(options_.patience, [&] { return apply_next(&left); }));
    if (!applied) return absl::OkStatus();
  }
}

}  // namespace kappa::runtime
