// The live loop: what arrives is journalled and applied, or what another pipeline has journalled
// is; checkpoints are made beside it.

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "engine/runtime/live_pipeline.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {

namespace {

// How long stop() waits for a log that does not take what is in the outbox.
constexpr std::chrono::seconds kOutboxPatience{10};
constexpr std::chrono::milliseconds kAskAgain{20};  // a log that does not answer
constexpr std::chrono::milliseconds kJournalLook{5};
constexpr std::chrono::milliseconds kPacedLook{50};  // of one that waits: for a checkpoint, say

}  // namespace

absl::Status LivePipeline::start() {
  KAPPA_RETURN_IF_ERROR(require_by_hand());
  stop_ = false;
  running_ = true;
  records_at_start_ = state_.records;
  turns_.open();
  subscription_ = log_->on_append([this] {
    if (!follows_) turns_.wake();
  });
  checkpointer_->start();
  delivery_.start();
  thread_ = std::thread([this] { run(); });
  return absl::OkStatus();
}

absl::Status LivePipeline::stop() {
  if (!thread_.joinable()) return failure();
  subscription_.reset();
  stop_ = true;
  turns_.wake();
  thread_.join();
  running_ = false;
  turns_.close();
  parked_.drop(pipeline_ended());
  checkpointer_->stop();
  KAPPA_RETURN_IF_ERROR(failure());
  KAPPA_RETURN_IF_ERROR(checkpointer_->status());
  if (checkpointer_->slicing()) KAPPA_RETURN_IF_ERROR(checkpointer_->complete_now());
  if (changed_) KAPPA_RETURN_IF_ERROR(checkpoint());
  const absl::Status published = delivery_.drain(kOutboxPatience);
  delivery_.stop();
  return published;
}

void LivePipeline::fail(const absl::Status& why) {
  {
    const std::lock_guard lock(failure_mutex_);
    failure_ = why;
  }
  stop_ = true;
  turns_.close();  // nobody waits for a turn that never comes
  parked_.drop(pipeline_ended());
}

absl::Status LivePipeline::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

void LivePipeline::run() {
  // What was prepared is applied before the end, so that reading stands where applying does.
  while (!stop_ || ahead_filled_) {
    turns_.run_tasks();
    const auto begun = std::chrono::steady_clock::now();
    const absl::StatusOr<bool> did = live_turn();
    const bool held = absl::IsUnavailable(did.status());
    if (!did.ok() && !held) return fail(did.status());
    note_held(did.status());
    answer_parked();
    const absl::Status saved = checkpoint_turn();
    if (!saved.ok()) return fail(saved);
    const bool idle = held || !*did;
    if (!idle) busy_ += std::chrono::steady_clock::now() - begun;
    if (idle && !checkpointer_->slicing() && !stop_) turns_.sleep(held ? kAskAgain : idle_time());
  }
  turns_.run_tasks();
  parked_.drop(pipeline_ended());
}

// If the log does not answer, the order must not go on without what it would say: the pipeline is
// held. Reads are served, and the log is asked again.
void LivePipeline::note_held(const absl::Status& why) {
  if (held_.ok() && !why.ok()) held_since_ = std::chrono::steady_clock::now();
  held_ = why;
}

// One epoch, if there is anything for it.
absl::StatusOr<bool> LivePipeline::live_turn() {
  if (follows_) return follow_turn();
  if (!ahead_filled_ && !reader_->entry()) {
    if (standing_) return false;
    KAPPA_ASSIGN_OR_RETURN(const bool taken, take_what_arrived());
    if (!taken) return false;
  }
  KAPPA_ASSIGN_OR_RETURN(const bool applied,
                         next_turn([this](Epoch& epoch) { return fill_from_entry(epoch); },
                                   [this] { return reader_->entry() && !stop_; }));
  if (applied || reader_->entry()) return applied;
  note_passed();
  return true;
}

// Journals the next entry: what has arrived, the backlog, or a tick. False: there is none.
absl::StatusOr<bool> LivePipeline::take_what_arrived() {
  if (log_->partitions_version() != partitions_version_) {
    KAPPA_RETURN_IF_ERROR(take_new_partitions());
  }
  for (size_t p = 0; p < reader_->partitions(); ++p) {
    KAPPA_RETURN_IF_ERROR(reader_->load(p, options_.epoch_records_max));
  }
  if (end_ != End::kNone) {
    KAPPA_RETURN_IF_ERROR(take_end());
    return true;
  }
  const LogTime now = std::max(clock_->now(), order_clock_);
  const std::optional<LogTime> oldest = reader_->oldest_loaded();
  if (!oldest) {
    if (!watermarks_.tick_due(now)) return false;
    KAPPA_RETURN_IF_ERROR(append_entry({JournalEntry::Kind::kTick, now, {}}));
    return true;
  }
  if (oldest->ms < now.ms - options_.backlog_ms) {
    KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> backlog, reader_->describe_backlog(now));
    if (backlog) {
      KAPPA_RETURN_IF_ERROR(append_entry(*std::move(backlog)));
      return true;
    }
  }
  std::optional<JournalEntry> entry = reader_->take_loaded(now, options_.epoch_records_max);
  if (!entry) return false;
  KAPPA_RETURN_IF_ERROR(append_entry(*std::move(entry)));
  return true;
}

// Between entries, and not beside a turn: a reader of all partitions that there are now goes on
// where this one stands.
absl::Status LivePipeline::take_new_partitions() {
  const uint64_t version = log_->partitions_version();
  KAPPA_ASSIGN_OR_RETURN(OrderReader grown, open_reader(reader_->places()));
  reader_ = std::move(grown);
  partitions_version_ = version;
  applied_ = read_position();
  return absl::OkStatus();
}

// Journals what an end mark is to come after, then the mark.
absl::Status LivePipeline::take_end() {
  const LogTime now = std::max(clock_->now(), order_clock_);
  if (end_ == End::kBacklog) {
    KAPPA_ASSIGN_OR_RETURN(std::optional<JournalEntry> backlog, reader_->describe_backlog(now));
    end_ = End::kMark;
    if (backlog) return append_entry(*std::move(backlog));
  }
  end_ = End::kNone;
  return append_entry({JournalEntry::Kind::kEnd, now, {}});
}

absl::Status LivePipeline::complete_live(Deadline deadline) {
  if (follows_) {
    return absl::FailedPreconditionError(
        "this pipeline follows another one's order: complete that one");
  }
  constexpr std::chrono::milliseconds kLook{2};
  KAPPA_RETURN_IF_ERROR(run_between_epochs([this] { end_ = End::kBacklog; }, deadline));
  const auto applied = std::make_shared<bool>(false);
  while (true) {
    KAPPA_RETURN_IF_ERROR(run_between_epochs(
        [this, applied] { *applied = end_ == End::kNone && !reader_->entry() && !ahead_filled_; },
        deadline));
    if (*applied) return absl::OkStatus();
    std::this_thread::sleep_for(kLook);
  }
}

void LivePipeline::begin_checkpoint() {
  std::vector<Checkpointer::WorkerState> workers;
  for (uint32_t w = 0; w < pool_.workers(); ++w) {
    Checkpointer::WorkerState& worker = workers.emplace_back();
    worker.tables = flow_->tables(w);
    for (operators::Operator* op : flow_->with_events(w)) worker.events.push_back(op->events());
  }
  std::function<void()> written;
  if (copy_due()) {
    copy_->begun = true;
    written = [this, copy = copy_] {
      copy->result = store_->copy_to(copy->directory);
      copy->done = true;
    };
  }
  if (!follows_) {
    forget_passed();
    said_before_ = std::exchange(said_in_checkpoint_, said_to());
  }
  checkpointer_->begin(place(), workers, outbox_.take_unsaved(), outbox_.kept().take_unsaved(),
                       std::move(written));
  changed_ = false;
  last_checkpoint_ms_ = clock_->now().ms;
}

// A slice takes a part of the time of the epoch before it: after small ones nobody waits long, and
// large ones do not outrun it.
absl::Status LivePipeline::checkpoint_turn() {
  constexpr size_t kSliceBytesLeast = 256u << 10;
  constexpr size_t kSliceBytesMost = 8u << 20;
  constexpr size_t kSliceBytesPerRecord = 4u << 10;
  if (checkpointer_->slicing()) {
    const size_t bytes_max =
        std::clamp(turn_->size() * kSliceBytesPerRecord, kSliceBytesLeast, kSliceBytesMost);
    pool_.run([&](uint32_t w) { checkpointer_->slice(w, bytes_max); }, true);
    checkpointer_->finish_slicing();
    return absl::OkStatus();
  }
  KAPPA_RETURN_IF_ERROR(delivery_.status());
  if (!checkpointer_->idle()) return absl::OkStatus();
  KAPPA_RETURN_IF_ERROR(checkpointer_->status());
  if (!changed_ && !copy_due()) return absl::OkStatus();
  bool due = standing_ || copy_due() ||
             clock_->now().ms - last_checkpoint_ms_ >= options_.checkpoint_interval_ms;
  if (!due) {
    size_t dirty = 0;
    for (uint32_t w = 0; w < pool_.workers(); ++w) {
      for (const state::Table* table : flow_->tables(w)) dirty += table->dirty_bytes();
      for (operators::Operator* op : flow_->with_events(w)) dirty += op->events()->dirty_bytes();
    }
    due = dirty > options_.checkpoint_dirty_bytes_max;
  }
  if (due) begin_checkpoint();
  return absl::OkStatus();
}

std::chrono::microseconds LivePipeline::idle_time() const {
  // Nobody tells when another pipeline has written to the journal.
  if (follows_) {
    const auto now = std::chrono::steady_clock::now();
    return pacer_.may_go(now) ? kJournalLook : pacer_.wait(now, kPacedLook);
  }
  int64_t wait_ms = 1000;
  if (!parked_.empty()) {
    const auto left = parked_.next_deadline() - std::chrono::steady_clock::now();
    const int64_t left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    wait_ms = std::clamp<int64_t>(left_ms, 1, wait_ms);
  }
  if (changed_) {
    const int64_t due_ms = last_checkpoint_ms_ + options_.checkpoint_interval_ms;
    wait_ms = std::clamp<int64_t>(due_ms - clock_->now().ms, 1, wait_ms);
  }
  for (const schemas::Source& source : plan_.sources) {
    if (source.idle_timeout_us) {
      wait_ms = std::clamp<int64_t>(*source.idle_timeout_us / kMicrosPerMilli / 4, 10, wait_ms);
    }
  }
  return std::chrono::milliseconds(wait_ms);
}

}  // namespace kappa::runtime
