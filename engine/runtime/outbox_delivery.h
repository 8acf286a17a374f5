#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "engine/log/outbox_publisher.h"
#include "state/checkpoint.h"

namespace kappa::runtime {

// Takes outbox entries from the store, where checkpoints put them, to their publisher, in order. So
// state never waits for the log, and the log never runs ahead of state: while the log does not take
// records, entries pile up in the store, and nothing here holds more than a few of them.
//
//   made ─recover()─► recovered ─start()─► running ─stop()─► stopped
//                        └─ stored_to() publishes on the caller's thread
//
// A log that does not answer is asked again, for ever; any other error ends it (status()).
class OutboxDelivery {
 public:
  // Both outlive this. No publisher: a muted outbox, which stores and publishes nothing.
  OutboxDelivery(const state::CheckpointStore* store, log::OutboxPublisher* publisher);
  ~OutboxDelivery();

  // After opening: finds out what was published before, and publishes the rest of what is stored.
  // `history.topics` is filled in here.
  absl::Status recover(log::OutboxHistory history);

  // A thread of its own publishes from here on.
  void start();
  // Another product's generation publishes from now on (let_go), or this one does (take_up, whose
  // `next` is the number of its first entry). Running; nothing is stored that is not published.
  void let_go();
  void take_up(log::OutboxPublisher* publisher, uint64_t next);
  // Waits for what is stored to be published, `patience` at most, unless it is muted; Unavailable
  // says how many are left. They are published after the next start.
  absl::Status drain(std::chrono::milliseconds patience);
  void stop();

  // The checkpoint writer's: entries below are durable. Running, it returns at once.
  absl::Status stored_to(uint64_t sequence);

  // Any thread.
  bool muted() const { return publisher_.load() == nullptr; }
  log::OutboxMark mark() const;
  uint64_t transaction_aborts() const;
  // Why it has given up; OK while it has not.
  absl::Status status() const;

 private:
  void work();
  void end_thread();
  // Some of what is stored and not published.
  absl::Status publish_some(uint64_t end);
  absl::Status publish_all(uint64_t end);

  const state::CheckpointStore* store_;
  std::atomic<log::OutboxPublisher*> publisher_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t stored_to_ = 0;
  bool stop_ = false;
  absl::Status status_;
  absl::Status trouble_;  // what the last attempt met, if it is to be tried again
  std::thread thread_;
};

}  // namespace kappa::runtime
