#include "engine/runtime/checkpointer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/types/failpoint.h"
#include "engine/types/invariant.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Checkpointer::Checkpointer(state::CheckpointStore* store, log::Log* log, OrderJournal* journal,
                           OutboxDelivery* outbox, std::string product)
    : store_(store), log_(log), journal_(journal), outbox_(outbox), product_(std::move(product)) {}

Checkpointer::~Checkpointer() {
  stop();
}

void Checkpointer::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
}

void Checkpointer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  stop_ = false;
}

void Checkpointer::begin(Place place, const std::vector<WorkerState>& workers,
                         std::vector<state::OutboxEntry> entries, state::KeptChanges kept,
                         std::function<void()> written) {
  KAPPA_INVARIANT(idle(), "one checkpoint at a time");
  begun_us_ = steady_us();
  checkpoint_ = {};
  written_ = std::move(written);
  log::OutboxMark mark = outbox_->mark();
  // What a muted one counts has no entries, and says nothing about those that it may have left.
  checkpoint_.outbox_published_to =
      outbox_->muted() ? 0 : std::min(mark.published_to, place.outbox_next);
  place.published = std::move(mark.ends);
  outbox_next_ = place.outbox_next;
  checkpoint_.place = encode(place);
  offsets_.clear();
  for (const PartitionPlace& p : place.partitions) offsets_.emplace_back(p.partition, p.next);
  checkpoint_.outbox = std::move(entries);
  checkpoint_.kept = std::move(kept);
  parts_.clear();
  for (const WorkerState& worker : workers) {
    Part& part = parts_.emplace_back();
    for (state::Table* table : worker.tables) {
      const state::Cut cut = table->cut_and_pin();
      table->begin_checkpoint(cut);
      part.tables.emplace_back(table, cut);
      part.packed.push_back({table->id(), {}, {}});
    }
    for (state::EventLog* events : worker.events) part.packed.push_back(events->take_checkpoint());
  }
  state_ = State::kSlicing;
}

void Checkpointer::slice(uint32_t worker, size_t bytes_max) {
  Part& part = parts_[worker];
  size_t bytes_left = bytes_max;
  while (part.next < part.tables.size()) {
    auto& [table, cut] = part.tables[part.next];
    const size_t row_bytes = table->layout().row_bytes();
    const size_t rows_max = std::max<size_t>(1, bytes_left / row_bytes);
    const size_t rows = table->checkpoint_slice(rows_max, &part.packed[part.next]);
    if (rows == rows_max) return;
    bytes_left -= rows * row_bytes;
    table->unpin(cut);
    ++part.next;
  }
}

bool Checkpointer::finish_slicing() {
  for (const Part& part : parts_) {
    if (part.next < part.tables.size()) return false;
  }
  for (Part& part : parts_) {
    for (state::PackedTable& table : part.packed) checkpoint_.tables.push_back(std::move(table));
  }
  parts_.clear();
  const std::lock_guard lock(mutex_);
  state_ = State::kWriting;
  wake_.notify_all();
  return true;
}

absl::Status Checkpointer::complete_now() {
  KAPPA_INVARIANT(!thread_.joinable(), "the writer has a thread of its own");
  constexpr size_t kSliceBytes = 256u << 20;
  while (!finish_slicing()) {
    for (uint32_t worker = 0; worker < parts_.size(); ++worker) slice(worker, kSliceBytes);
  }
  const absl::Status written = write();
  state_ = State::kIdle;
  return written;
}

absl::Status Checkpointer::write() {
  KAPPA_RETURN_IF_ERROR(journal_->sync());
  KAPPA_RETURN_IF_ERROR(log_->sync());
  fail_here_if_asked("checkpoint.before_write");
  KAPPA_RETURN_IF_ERROR(store_->write(checkpoint_));
  fail_here_if_asked("checkpoint.written");
  if (written_) written_();
  if (!outbox_->muted()) log_->note_checkpoint(product_, offsets_);
  ++checkpoints_;
  last_seconds_ = static_cast<double>(steady_us() - begun_us_) / 1e6;
  KAPPA_RETURN_IF_ERROR(outbox_->stored_to(outbox_next_));
  checkpoint_ = {};
  if (store_->should_erase_void()) KAPPA_RETURN_IF_ERROR(store_->erase_void());
  return store_->merge_small_parts();
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stop_ || state_ == State::kWriting; });
    if (state_ != State::kWriting) return;
    lock.unlock();
    const absl::Status written = write();
    lock.lock();
    if (!written.ok() && status_.ok()) status_ = written;
    state_ = State::kIdle;
  }
}

absl::Status Checkpointer::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace kappa::runtime
