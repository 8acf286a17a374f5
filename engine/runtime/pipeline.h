#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/patience.h"
#include "engine/runtime/reads.h"
#include "engine/types/clock.h"
#include "operators/final_output.h"
#include "operators/plan.h"
#include "schemas/decoder.h"
#include "state/store.h"

namespace kappa::runtime {

struct PipelineOptions {
  std::string product = "default";
  uint32_t generation = 1;
  uint32_t workers = 1;
  uint32_t epoch_records_max = 8192;
  // Where records cost much, epochs are of fewer, so that none takes much longer than this: point
  // reads wait for an epoch, and checkpoints are packed between two.
  uint32_t epoch_ms_max = 10;
  int64_t checkpoint_interval_ms = 1000;
  size_t checkpoint_dirty_bytes_max = 64u << 20;
  // Further than this behind the clock, records are taken as history: one entry, in log-time order.
  int64_t backlog_ms = 1000;
  // Brings outbox entries to their topics; outlives the pipeline. nullptr: by headers, to its log.
  log::OutboxPublisher* publisher = nullptr;
  bool mute_outputs = false;  // a replaying generation: the outbox is not published
  // The journal belongs to another pipeline and is never written or cut, opening applies nothing
  // beyond the checkpoint, and nothing is published. By hand it takes follow() only; running, it
  // applies whatever the journal has, and then what is added to it.
  bool follow_only = false;
  bool stand_still = false;  // a leader that takes nothing of what arrives until release()
  Patience patience = {};    // with a log that does not answer, while opening
  // Takes what reaches an output topic instead of the outbox: for benches and embedding programs.
  // Called on the workers' threads, once an epoch and worker at most.
  std::function<void(operators::NodeId, const Batch&)> on_output = nullptr;
};

// What a follower may take of the machine that it shares. 0: as much as it can get.
struct Pace {
  bool paused = false;
  double records_per_second_max = 0;
  double cpu_cores_max = 0;  // of its workers' time
};

// What an output has to say that no place of the order has caused.
struct OutputRecord {
  operators::NodeId output = operators::kNoNode;  // of a table with a primary key
  std::string key;
  std::optional<std::string> payload;  // nullopt: a tombstone
};

struct ViewStats {
  std::string name;
  uint64_t rows = 0;
  uint64_t late_records = 0;
  uint64_t errors = 0;      // rows that a failed expression held back
  uint64_t duplicates = 0;  // of a primary key
  EventTime watermark;
};

struct SourceStats {
  std::string topic;
  uint64_t records = 0;
  uint64_t dead_letters = 0;
  int64_t lag_records = 0;
  EventTime watermark;
  struct Partition {
    int32_t partition = 0;
    int64_t lag_records = 0;
    int64_t headroom_records = 0;  // between the start of its log and what is applied
  };
  std::vector<Partition> partitions;
};

struct PipelineStats {
  uint64_t epochs = 0;
  uint64_t records = 0;       // since the product's first one
  bool follows = false;       // another pipeline's order
  bool stands_still = false;  // a leader that is held, or has not been released yet
  bool rests = false;  // some of its views do, until the order has come to where their rows are
  // Of a leader's final outputs: rows whose event time is below have been said, durably.
  operators::OutputMarks said_to;
  uint64_t checkpoints = 0;
  int64_t last_checkpoint_ms = 0;  // wall clock
  double checkpoint_seconds = 0;   // the last one, from cut to synced
  uint64_t outbox_pending = 0;
  uint64_t transaction_aborts = 0;
  uint64_t state_bytes = 0;
  std::vector<double> epoch_seconds;  // recent durations, a sample
  // Since start(): records that were applied, and for how long the pipeline had something to do.
  // Neither what it waits for nor a pace counts.
  uint64_t busy_records = 0;
  double busy_seconds = 0;
  std::vector<ViewStats> views;
  std::vector<SourceStats> sources;
  // Why it stopped, if it did. DeadlineExceeded: it runs, and was too busy to tell the rest.
  absl::Status failure;
  // What it waits for, if the log does not answer, and for how long; it goes on by itself.
  absl::Status held;
  double held_seconds = 0;
};

// A running plan over a log: order, epochs, watermarks, checkpoints.
//
//   opened ─start()─► running ─stop()─► stopped        (live, or following: its own threads)
//      └─advance()/tick()/complete()/checkpoint()      (by hand: scenarios and tests, one thread)
//
// Opening restores the last checkpoint of `store`, cuts the journal where the log does not match
// it, and applies the journal's tail. Destroying a pipeline without stop() leaves what a crash
// would leave.
class Pipeline : public ViewReader {
 public:
  // Borrowed things outlive the pipeline. `journal_path` is made if it is not there.
  // FailedPrecondition: the store holds another plan's state; DataLoss: a gap, named.
  static absl::StatusOr<std::unique_ptr<Pipeline>> open(operators::Plan plan,
                                                        schemas::ProductFiles files, log::Log* log,
                                                        state::StateStore* store,
                                                        const std::string& journal_path,
                                                        Clock* clock, PipelineOptions options);

  // ---- live ----
  virtual absl::Status start() = 0;
  // Ends after the present epoch, with a checkpoint and the outbox published. Unavailable: the log
  // did not take all of the outbox within ten seconds; the next start publishes the rest.
  virtual absl::Status stop() = 0;
  virtual PipelineStats stats() const = 0;
  // Applies everything that the log holds now, journals an end mark and applies that: every window
  // closes. Any thread, while it runs. DeadlineExceeded; Unavailable: it has stopped;
  // FailedPrecondition: it follows another.
  virtual absl::Status complete_live(Deadline deadline) = 0;

  // ---- who leads; any thread, while it runs ----
  //
  //   leads ─hold()─► stands still ─release()─► leads
  //                        └─give_up()─► follows ─take_over()─► stands still
  //
  // Of the pipelines of one order journal, one leads: it takes what arrives, writes the journal and
  // publishes. The others (follow_only) apply the same order, muted. A new one is ready once it
  // stands where the old one does: what came until there has been published by the old one, what
  // comes after is published by the new one (replay/swap.h).
  //
  // Final outputs (operators/final_output.h) change hands by event time instead: what the old one
  // has said ends at its watermark. A follower keeps such rows of its own; those from there on
  // leave first once it goes on, and what comes below is only counted. An output that the old one
  // does not have, or that is not final there, changes hands by place.

  struct Standstill {
    uint64_t entries = 0;                 // of the journal: all are applied, and in a checkpoint
    uint64_t outbox_next = 0;             // outbox entries below are published
    operators::OutputMarks said_to = {};  // rows of final outputs below it have been said
  };
  // Takes no more of what arrives; what the journal has is applied, checkpointed, published. Reads
  // are served as ever. DeadlineExceeded: it goes on as before; FailedPrecondition: it follows.
  virtual absl::StatusOr<Standstill> hold(Deadline deadline) = 0;
  // What it has kept as a follower leaves first. After an error it stands still as before.
  virtual absl::Status release(Deadline deadline) = 0;
  // A follower takes the place of a leader that stands still there, and stands still as well. On
  // return that is durable. DeadlineExceeded: it has not come there, and goes on as before.
  // `publisher`: the former leader's; outlives the pipeline.
  virtual absl::Status take_over(const Standstill& at, log::OutboxPublisher* publisher,
                                 Deadline deadline) = 0;
  // One that stands still follows from now on. FailedPrecondition: it does not stand still.
  virtual absl::Status give_up(Deadline deadline) = 0;
  // Where a leader stands still, once all of that is durable; its last outputs may be on their way.
  // FailedPrecondition: it does not stand still.
  virtual absl::StatusOr<Standstill> standstill(Deadline deadline) = 0;
  // Adds to what a leader that stands still publishes: numbered on, in this order. On return they
  // are durable, by one checkpoint, and leave as all others do. FailedPrecondition: it does not
  // stand still. After any other error they may have been added: standstill() tells the number.
  virtual absl::Status add_outputs(std::vector<OutputRecord> records, Deadline deadline) = 0;

  // From its place on, the order of a leader carries these topics too, which its own plan need not
  // read: for followers that do (engine/runtime/order_journal.h). Those it has already are left as
  // they are. Durable on return. NotFound: the log has no such topic.
  virtual absl::Status join(const std::vector<std::string>& topics, Deadline deadline) = 0;

  // ---- following; any thread, while it runs ----

  // How far the leader had said its final outputs, some time ago: a follower keeps no row below,
  // and none of outputs that are not there. Until it is told, it keeps them all. Does not wait.
  virtual void note_said(operators::OutputMarks said_to) = 0;

  // From the next turn on. What leads has no pace: it is reset by take_over().
  virtual absl::Status set_pace(const Pace& pace, Deadline deadline) = 0;

  // Moments of two pipelines at one place, while both run on:
  //
  //   follower.rest() ─► leader.pin_between_entries() ─► follower.pin_behind(entries)
  struct EntryPin {
    uint64_t entries = 0;  // of the journal: these and no others are applied
    std::unique_ptr<Snapshot> rows;
  };
  // A follower begins no further entry until it is told which one to pin behind, or until it is
  // stirred.
  virtual absl::Status rest(Deadline deadline) = 0;
  virtual absl::Status stir(Deadline deadline) = 0;
  // DeadlineExceeded: it was in the midst of an entry all the time.
  virtual absl::StatusOr<EntryPin> pin_between_entries(std::vector<operators::NodeId> views,
                                                       Deadline deadline) = 0;
  // A follower goes on to there, pins, and goes on, whatever comes of it. DeadlineExceeded: it was
  // not there in time. FailedPrecondition: it is beyond.
  virtual absl::StatusOr<EntryPin> pin_behind(uint64_t entries,
                                              std::vector<operators::NodeId> views,
                                              Deadline deadline) = 0;

  // ---- a copy; any thread, while it runs ----

  // Takes a checkpoint between two entries and makes a copy of the store with it, in a directory
  // that is not there yet, and goes on. Its place is where another generation may begin
  // (engine/runtime/beginning.h). DeadlineExceeded: it was in the midst of an entry all the time.
  virtual absl::Status copy_state(const std::string& directory, Deadline deadline) = 0;

  // ---- by hand; not after start() ----
  // Journals everything up to the log's present ends as one entry with the present clock, and
  // applies it. Nothing new: nothing happens.
  virtual absl::Status advance() = 0;
  // Journals a tick at the present clock.
  virtual absl::Status tick() = 0;
  // Journals an end mark: every window closes.
  virtual absl::Status complete() = 0;
  // A checkpoint, synced; the outbox published.
  virtual absl::Status checkpoint() = 0;
  // Applies the journal's next entries, `entries_max` of them at most, without writing to it.
  virtual absl::Status follow(uint64_t entries_max) = 0;

  // The canonical dump, a line an item: sorted keys and values of views, operator state, timers,
  // late output; and its checksum. Equal for equal log, journal and plan.
  virtual absl::StatusOr<std::string> canonical_dump() = 0;
};

}  // namespace kappa::runtime
