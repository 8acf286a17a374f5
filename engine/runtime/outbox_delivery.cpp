#include "engine/runtime/outbox_delivery.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/runtime/outbox_entry.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"

namespace kappa::runtime {
namespace {

// What is published at once: a transaction, where there are transactions, takes well under a
// second.
constexpr size_t kBytesAtOnce = 1u << 20;
constexpr size_t kRecordsAtOnce = 4096;
constexpr std::chrono::milliseconds kPauseAfterTrouble{200};

}  // namespace

OutboxDelivery::OutboxDelivery(const state::CheckpointStore* store, log::OutboxPublisher* publisher)
    : store_(store), publisher_(publisher) {}

OutboxDelivery::~OutboxDelivery() {
  stop();
}

absl::Status OutboxDelivery::recover(log::OutboxHistory history) {
  if (muted()) return absl::OkStatus();
  std::set<std::string> topics;
  if (history.mark) {
    KAPPA_RETURN_IF_ERROR(
        store_->visit_outbox(history.mark->published_to, [&](const state::OutboxEntry& entry) {
          topics.insert(entry.topic);
          return true;
        }));
  }
  history.topics.assign(topics.begin(), topics.end());
  KAPPA_RETURN_IF_ERROR(publisher_.load()->recover(history));
  return stored_to(history.stored_to);
}

void OutboxDelivery::start() {
  if (muted() || thread_.joinable()) return;
  stop_ = false;
  thread_ = std::thread([this] { work(); });
}

void OutboxDelivery::stop() {
  if (!thread_.joinable()) return;
  publisher_.load()->close();
  end_thread();
}

void OutboxDelivery::end_thread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void OutboxDelivery::let_go() {
  if (thread_.joinable()) end_thread();
  publisher_ = nullptr;
}

void OutboxDelivery::take_up(log::OutboxPublisher* publisher, uint64_t next) {
  publisher_ = publisher;
  stored_to_ = next;
  start();
}

log::OutboxMark OutboxDelivery::mark() const {
  const log::OutboxPublisher* publisher = publisher_.load();
  return publisher ? publisher->mark() : log::OutboxMark{};
}

uint64_t OutboxDelivery::transaction_aborts() const {
  const log::OutboxPublisher* publisher = publisher_.load();
  return publisher ? publisher->transaction_aborts() : 0;
}

absl::Status OutboxDelivery::stored_to(uint64_t sequence) {
  if (muted()) return absl::OkStatus();
  {
    const std::lock_guard lock(mutex_);
    stored_to_ = sequence;
  }
  changed_.notify_all();
  return thread_.joinable() ? absl::OkStatus() : publish_all(sequence);
}

absl::Status OutboxDelivery::publish_all(uint64_t end) {
  while (mark().published_to < end) KAPPA_RETURN_IF_ERROR(publish_some(end));
  return absl::OkStatus();
}

absl::Status OutboxDelivery::publish_some(uint64_t end) {
  std::vector<log::OutboxRecord> records;
  absl::Status damage;
  size_t bytes = 0;
  const uint64_t from = mark().published_to;
  KAPPA_RETURN_IF_ERROR(store_->visit_outbox(from, [&](const state::OutboxEntry& entry) {
    if (entry.sequence >= end) return false;
    absl::StatusOr<log::OutboxRecord> record = decode(entry);
    damage = record.status();
    if (!damage.ok()) return false;
    bytes += entry.payload.size();
    records.push_back(*std::move(record));
    return bytes < kBytesAtOnce && records.size() < kRecordsAtOnce;
  }));
  KAPPA_RETURN_IF_ERROR(damage);
  if (records.empty() || records.front().sequence != from) {
    return absl::DataLossError(
        absl::StrCat("outbox entry ", from, " is not published and not in the store either"));
  }
  KAPPA_RETURN_IF_ERROR(publisher_.load()->publish(records));
  fail_here_if_asked("outbox.published");
  return absl::OkStatus();
}

void OutboxDelivery::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || mark().published_to < stored_to_; });
    if (stop_) return;
    const uint64_t end = stored_to_;
    lock.unlock();
    const absl::Status published = publish_some(end);
    lock.lock();
    trouble_ = published;
    if (!published.ok() && !absl::IsUnavailable(published)) {
      status_ = published;
      changed_.notify_all();
      return;
    }
    changed_.notify_all();
    if (!published.ok()) changed_.wait_for(lock, kPauseAfterTrouble, [&] { return stop_; });
  }
}

absl::Status OutboxDelivery::drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (muted()) return status_;
  const auto published = [&] { return mark().published_to >= stored_to_; };
  changed_.wait_for(lock, patience, [&] { return published() || !status_.ok(); });
  if (!status_.ok() || published()) return status_;
  return absl::UnavailableError(
      absl::StrCat(stored_to_ - mark().published_to,
                   " outbox records are stored and not published yet; the next start publishes "
                   "them",
                   trouble_.ok() ? "" : absl::StrCat(" (", trouble_.message(), ")")));
}

absl::Status OutboxDelivery::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace kappa::runtime
