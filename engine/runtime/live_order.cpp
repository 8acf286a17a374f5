// The order: entries are written or followed, and applied epoch by epoch.

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

absl::Status LivePipeline::append_entry(JournalEntry entry) {
  const bool history = entry.kind == JournalEntry::Kind::kHistory;
  // A backlog's entry must not outlive its records: they are made durable first.
  if (history) KAPPA_RETURN_IF_ERROR(log_->sync());
  KAPPA_RETURN_IF_ERROR(journal_->append(entry));
  if (history) KAPPA_RETURN_IF_ERROR(journal_->sync());
  state_.clock = entry.clock;
  reader_->begin(std::move(entry));
  return absl::OkStatus();
}

void LivePipeline::run_epoch() {
  const auto begun = std::chrono::steady_clock::now();
  flow_->run(epoch_, *reader_, watermarks_, pool_);
  outbox_.collect(flow_->side(), epoch_, *reader_, &state_);
  flow_->remove_expired(watermarks_);
  for (size_t s = 0; s < plan_.sources.size(); ++s) {
    const auto topic =
        std::lower_bound(flow_->topics().begin(), flow_->topics().end(), plan_.sources[s].topic);
    if (topic == flow_->topics().end() || *topic != plan_.sources[s].topic) continue;
    for (const auto& worker : epoch_.records) {
      state_.source_records[s] +=
          worker[static_cast<size_t>(topic - flow_->topics().begin())].records.size();
    }
  }
  state_.records += epoch_.size() - epoch_.moments.size();
  reader_->release();
  changed_ = true;
  constexpr size_t kDurationsKept = 512;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  if (epoch_seconds_.size() < kDurationsKept) {
    epoch_seconds_.push_back(seconds);
  } else {
    epoch_seconds_[epochs_ % kDurationsKept] = seconds;
  }
  ++epochs_;
}

// Applies what is left of the entry that reader_ shows.
absl::Status LivePipeline::apply_entry() {
  while (reader_->entry()) {
    epoch_.clear();
    KAPPA_RETURN_IF_ERROR(reader_->fill(epoch_, options_.epoch_records_max));
    if (epoch_.size() > 0) run_epoch();
  }
  return absl::OkStatus();
}

absl::Status LivePipeline::fill_from_journal(uint64_t* entries_left) {
  while (epoch_.size() < options_.epoch_records_max) {
    if (!reader_->entry()) {
      if (*entries_left == 0) return absl::OkStatus();
      KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> entry, journal_->next());
      if (!entry) return absl::OkStatus();
      --*entries_left;
      state_.clock = entry->clock;
      reader_->begin(*std::move(entry));
    }
    KAPPA_RETURN_IF_ERROR(reader_->fill(epoch_, options_.epoch_records_max));
  }
  return absl::OkStatus();
}

// The log does not hold what an entry says. One that no checkpoint covers and of which nothing was
// applied never took effect outside, so it is cut and the order goes on from before it.
absl::Status LivePipeline::cut_journal(const absl::Status& why, const Place& before) {
  const std::string message(why.message());
  if (options_.follow_only) return absl::DataLossError(message);
  // Entries are whole or not: read again from before this epoch, the last that matches is the end.
  KAPPA_RETURN_IF_ERROR(journal_->resume(before.journal));
  KAPPA_RETURN_IF_ERROR(rewind_to(before));
  state_ = before;
  Epoch scratch;
  scratch.records = epoch_.records;
  if (before.entry) {
    scratch.clear();
    while (reader_->entry()) {
      if (!reader_->fill(scratch, SIZE_MAX).ok()) {
        return absl::DataLossError(
            absl::StrCat(message, "; a checkpoint covers records before it"));
      }
    }
  }
  while (true) {
    const JournalBookmark here = journal_->bookmark();
    KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> entry, journal_->next());
    if (!entry) break;
    scratch.clear();
    reader_->begin(*std::move(entry));
    absl::Status filled;
    while (reader_->entry() && filled.ok()) filled = reader_->fill(scratch, SIZE_MAX);
    if (!filled.ok()) {
      KAPPA_RETURN_IF_ERROR(journal_->cut(here));
      break;
    }
  }
  KAPPA_RETURN_IF_ERROR(journal_->resume(before.journal));
  return rewind_to(before);
}

// Applies one epoch of the journal's next entries. False: there is nothing (more) to apply.
absl::StatusOr<bool> LivePipeline::apply_next(uint64_t* entries_left) {
  const Place before = place();
  epoch_.clear();
  if (pool_.workers() > 1) {
    std::vector<absl::Status> loaded(pool_.workers());
    pool_.run([&](uint32_t w) { loaded[w] = reader_->load(w, options_.epoch_records_max); }, true);
    for (const absl::Status& status : loaded) KAPPA_RETURN_IF_ERROR(status);
  }
  const uint64_t left_before = *entries_left;
  const absl::Status filled = fill_from_journal(entries_left);
  if (absl::IsAborted(filled)) {
    KAPPA_RETURN_IF_ERROR(cut_journal(filled, before));
    *entries_left = left_before;
    return true;
  }
  KAPPA_RETURN_IF_ERROR(filled);
  if (epoch_.size() == 0) return false;
  run_epoch();
  return true;
}

// ---- by hand --------------------------------------------------------------------------------

absl::Status LivePipeline::require_by_hand() const {
  if (running_)
    return absl::FailedPreconditionError("the pipeline runs by itself: stop() it first");
  return failure();
}

absl::Status LivePipeline::advance() {
  KAPPA_RETURN_IF_ERROR(require_by_hand());
  const LogTime clock = std::max(clock_->now(), state_.clock);
  KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> entry, reader_->describe_backlog(clock));
  if (!entry) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(append_entry(*std::move(entry)));
  return apply_entry();
}

absl::Status LivePipeline::append_moment(JournalEntry::Kind kind) {
  KAPPA_RETURN_IF_ERROR(require_by_hand());
  KAPPA_RETURN_IF_ERROR(append_entry({kind, std::max(clock_->now(), state_.clock), {}}));
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
    KAPPA_ASSIGN_OR_RETURN(const bool applied, apply_next(&left));
    if (!applied) return absl::OkStatus();
  }
}

}  // namespace kappa::runtime
