#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/runtime/order_journal.h"
#include "engine/runtime/outbox_delivery.h"
#include "engine/runtime/place.h"
#include "state/checkpoint.h"
#include "state/event_log.h"
#include "state/table.h"

namespace kappa::runtime {

// Makes a pipeline's checkpoints.
//
//   idle ─begin()─► slicing ─last slice()─► writing ─► idle
//
// begin() cuts all tables at one place; after each epoch a slice packs some of the rows that were
// dirty at the cut, as they were then; when all are packed, a thread of its own syncs journal and
// log, writes everything in one atomic batch, tells the outbox what is durable and erases what is
// void. So no epoch waits for a disk.
class Checkpointer {
 public:
  // All outlive this. `product` is whose checkpoints the log is told of, while its outputs are not
  // muted: of several generations, those of the one that is live.
  Checkpointer(state::CheckpointStore* store, log::Log* log, OrderJournal* journal,
               OutboxDelivery* outbox, std::string product);
  ~Checkpointer();

  // Without start() everything is done on the caller's thread.
  void start();
  // Waits for the checkpoint under way and ends the thread.
  void stop();

  // ---- coordinator -----------------------------------------------------------------------------

  bool idle() const { return state_.load() == State::kIdle; }
  bool slicing() const { return state_.load() == State::kSlicing; }
  // Cuts. By worker; what is dirty in tables, what event logs were given since the last time,
  // `entries` and `kept` go into this checkpoint.
  struct WorkerState {
    std::vector<state::Table*> tables;
    std::vector<state::EventLog*> events;
  };
  // `written` is called once it is durable, on the thread that wrote it and before that writes
  // anything else.
  void begin(Place place, const std::vector<WorkerState>& workers,
             std::vector<state::OutboxEntry> entries, state::KeptChanges kept,
             std::function<void()> written = nullptr);
  // Packs up to about `bytes_max` of the rows of a worker's tables. Workers at the same time.
  void slice(uint32_t worker, size_t bytes_max);
  // After slices: whether all is packed; then it is handed to the writer.
  bool finish_slicing();
  // Slices and writes the checkpoint under way on the caller's thread.
  absl::Status complete_now();

  // The first error of the writer; the pipeline stops on it.
  absl::Status status() const;
  uint64_t checkpoints() const { return checkpoints_.load(); }
  double last_seconds() const { return last_seconds_.load(); }

 private:
  enum class State : uint8_t { kIdle, kSlicing, kWriting };
  struct Part {  // of one worker
    std::vector<std::pair<state::Table*, state::Cut>> tables;
    size_t next = 0;
    std::vector<state::PackedTable> packed;  // of the tables, then of the event logs
  };

  void work();
  absl::Status write();

  state::CheckpointStore* store_;
  log::Log* log_;
  OrderJournal* journal_;
  OutboxDelivery* outbox_;
  std::atomic<State> state_{State::kIdle};
  std::vector<Part> parts_;
  state::Checkpoint checkpoint_;
  std::function<void()> written_;  // of the checkpoint under way
  uint64_t outbox_next_ = 0;       // entries below are in the checkpoint, or in earlier ones
  std::string product_;
  std::vector<std::pair<TopicPartition, Offset>> offsets_;  // of the checkpoint under way
  std::atomic<int64_t> begun_us_{0};
  std::atomic<uint64_t> checkpoints_{0};
  std::atomic<double> last_seconds_{0};

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace kappa::runtime
