#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/log/outbox_publisher.h"
#include "engine/runtime/checkpointer.h"
#include "engine/runtime/dataflow.h"
#include "engine/runtime/order_journal.h"
#include "engine/runtime/order_reader.h"
#include "engine/runtime/outbox.h"
#include "engine/runtime/outbox_delivery.h"
#include "engine/runtime/pacer.h"
#include "engine/runtime/parked_reads.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/shared_tasks.h"
#include "engine/runtime/turn_queue.h"
#include "engine/runtime/view_access.h"
#include "engine/runtime/watermarks.h"
#include "engine/runtime/worker_pool.h"
#include "state/checkpoint.h"

namespace kappa::runtime {

// The Pipeline there is. Its thread (or, by hand, the caller's) is the coordinator: it reads,
// orders, journals and lets the workers run; everything below is its own unless it says otherwise.
class LivePipeline final : public Pipeline {
 public:
  LivePipeline(operators::Plan plan, schemas::ProductFiles files, log::Log* log,
               state::StateStore* store, Clock* clock, PipelineOptions options);
  ~LivePipeline() override;
  absl::Status open_at(const std::string& journal_path);

  absl::Status start() override;
  absl::Status stop() override;
  PipelineStats stats() const override;
  absl::Status complete_live(Deadline deadline) override;
  absl::StatusOr<Standstill> hold(Deadline deadline) override;
  absl::Status release(Deadline deadline) override;
  absl::Status take_over(const Standstill& at, log::OutboxPublisher* publisher,
                         Deadline deadline) override;
  absl::Status give_up(Deadline deadline) override;
  absl::Status join(const std::vector<std::string>& topics, Deadline deadline) override;
  absl::StatusOr<Standstill> standstill(Deadline deadline) override;
  absl::Status add_outputs(std::vector<OutputRecord> records, Deadline deadline) override;
  void note_said(operators::OutputMarks said_to) override;
  absl::Status set_pace(const Pace& pace, Deadline deadline) override;
  absl::Status rest(Deadline deadline) override;
  absl::Status stir(Deadline deadline) override;
  absl::StatusOr<EntryPin> pin_between_entries(std::vector<operators::NodeId> views,
                                               Deadline deadline) override;
  absl::StatusOr<EntryPin> pin_behind(uint64_t entries, std::vector<operators::NodeId> views,
                                      Deadline deadline) override;
  absl::Status copy_state(const std::string& directory, Deadline deadline) override;
  absl::Status advance() override;
  absl::Status tick() override;
  absl::Status complete() override;
  absl::Status checkpoint() override;
  absl::Status follow(uint64_t entries_max) override;
  absl::StatusOr<std::string> canonical_dump() override;

  const operators::Plan& plan() const override { return plan_; }
  void get(operators::NodeId view, std::vector<Row> keys,
           std::function<void(absl::StatusOr<Rows>)> done) override;
  void get_after(After after, operators::NodeId view, std::vector<Row> keys,
                 std::function<void(absl::StatusOr<Rows>)> done) override;
  void stamp_now(std::vector<operators::NodeId> nodes,
                 std::function<void(absl::StatusOr<Stamp>)> done) override;
  absl::StatusOr<std::unique_ptr<Snapshot>> pin(std::vector<operators::NodeId> views,
                                                Deadline deadline) override;

  // ---- for Snapshot and the like ---------------------------------------------------------------

  // Runs `task` between epochs and waits for it. DeadlineExceeded; Unavailable if the pipeline has
  // failed or ends first. A task given up on may still run: it owns what it touches.
  absl::Status run_between_epochs(std::function<void()> task, Deadline deadline) const;
  // Runs it without waiting; false if the pipeline takes none any more.
  bool post(std::function<void()> task) const;
  const ViewAccess& view(operators::NodeId id) const { return *views_[id]; }
  int64_t watermark(operators::NodeId id) const { return watermarks_.current(id); }
  Stamp stamp(const std::vector<operators::NodeId>& nodes) const;

 private:
  // Opening.
  absl::Status open_topics();
  absl::Status restore();
  absl::Status restore_rows();
  absl::Status restore_events(const std::set<state::TableId>& logs);
  absl::Status load_row(state::TableId id, std::string_view key, std::string_view value);
  // The worker of a stored key that has these columns.
  absl::StatusOr<uint32_t> worker_of_stored(state::TableId id,
                                            const std::vector<state::RowField>& fields,
                                            std::string_view key) const;
  absl::StatusOr<OrderReader> open_reader(const std::vector<PartitionPlace>& places);
  bool carries_all() const;
  absl::Status rewind_to(const Place& place);
  log::OutboxPublisher* publisher() const;
  absl::Status recover_outbox(const log::OutboxHistory& history);

  // The order.
  absl::Status require_by_hand() const;
  absl::Status require_to_go_on() const;
  absl::Status append_entry(JournalEntry entry);
  absl::StatusOr<bool> apply_next(uint64_t* entries_left);
  absl::Status fill_from_entry(Epoch& epoch);
  absl::Status fill_from_journal(Epoch& epoch, uint64_t* entries_left);
  void note_passed();
  absl::Status cut_journal(const absl::Status& why);
  absl::Status append_moment(JournalEntry::Kind kind);
  absl::Status apply_entry();
  ReadPosition read_position() const;
  Place place() const;

  // Turns. While one is applied, the next may already be filled and taken through the front.
  using Fill = std::function<absl::Status(Epoch&)>;
  absl::StatusOr<bool> next_turn(const Fill& fill, const std::function<bool()>& more);
  void show_first_rows();
  void give_way() const;
  void fill_ahead(const Fill& fill);
  void prepare_ahead(uint32_t worker);
  void apply_turn(const Fill& fill, bool look_ahead);
  void run_turn(const Fill& fill, bool look_ahead);
  void count_turn(std::chrono::steady_clock::duration took);
  size_t turn_records_max() const;
  size_t partitions_of(size_t worker) const;

  // Reads, between epochs.
  Rows read_rows(operators::NodeId view, const std::vector<Row>& keys) const;
  static absl::Status pipeline_ended();
  bool is_applied(const After& after) const;
  void answer_parked();

  // Who leads.
  bool is_durable() const;
  bool stands_still() const;
  absl::Status wait_until(bool (LivePipeline::*still)() const, Deadline deadline,
                          std::shared_ptr<Standstill> at) const;
  absl::Status become_leader(const Standstill& at, log::OutboxPublisher* publisher);
  void become_follower();
  absl::Status write_join(const std::vector<std::string>& topics);

  // Final outputs.
  operators::OutputMarks said_to() const;
  operators::OutputMarks said_durably() const;
  void take_up_finals(const operators::OutputMarks& said_to);
  absl::Status say_kept();
  void forget_passed();
  void want_outputs();

  // Following.
  using Ready = std::function<absl::StatusOr<bool>()>;
  absl::StatusOr<std::unique_ptr<Snapshot>> pin_once(const Ready& ready,
                                                     std::vector<operators::NodeId> views,
                                                     Deadline deadline);
  absl::StatusOr<EntryPin> pin_between(Ready ready, std::vector<operators::NodeId> views,
                                       Deadline deadline);
  bool between_entries() const { return !reader_->entry() && !ahead_filled_; }
  absl::StatusOr<bool> follow_turn();
  void set_resting(const Rest& rest);
  std::set<std::string> topics_at_rest() const;
  absl::Status wake_if_there();

  // A copy of the store that is asked for.
  struct StateCopy {
    std::string directory;
    bool begun = false;             // the checkpoint that it is to hold; the coordinator's
    std::atomic<bool> done{false};  // then `result` is there
    absl::Status result;
  };
  bool copy_due() const { return copy_ && !copy_->begun && between_entries(); }

  // The live loop.
  void run();
  absl::StatusOr<bool> live_turn();
  absl::StatusOr<bool> take_what_arrived();
  absl::Status take_end();
  absl::Status checkpoint_turn();
  absl::Status take_new_partitions();
  void note_held(const absl::Status& why);
  void begin_checkpoint();
  std::chrono::microseconds idle_time() const;
  void fail(const absl::Status& why);
  absl::Status failure() const;  // any thread
  PipelineStats collect_stats() const;
  void dump_tables(operators::NodeId node, std::vector<std::string>* lines) const;
  std::string dump() const;

  const operators::Plan plan_;
  const schemas::ProductFiles files_;
  log::Log* log_;
  Clock* clock_;
  PipelineOptions options_;
  uint64_t plan_fingerprint_;
  state::StateStore* store_;
  const std::vector<operators::FinalOutput> finals_;
  state::CheckpointStore checkpoints_;
  std::unique_ptr<OrderJournal> journal_;
  std::unique_ptr<Dataflow> flow_;
  std::vector<JoinedPartition> joins_;  // that the journal had ahead when it was opened
  std::optional<OrderReader> reader_;
  Watermarks watermarks_;
  WorkerPool pool_;
  Outbox outbox_;
  std::unique_ptr<log::OutboxPublisher> header_outbox_;  // unless the options name another
  OutboxDelivery delivery_;
  std::unique_ptr<Checkpointer> checkpointer_;
  std::vector<std::unique_ptr<ViewAccess>> views_;  // by node
  std::unique_ptr<Turn> turn_;                      // the one that is, or was last, applied
  std::unique_ptr<Turn> ahead_;                     // the next one
  bool ahead_filled_ = false;
  bool beside_turn_ = false;   // filling it while turn_ is applied, of blocks that the reader holds
  absl::Status ahead_status_;  // why filling it failed; told once turn_ is applied
  SharedTasks ahead_tasks_;
  LogTime order_clock_;   // of the last entry that the reader has begun
  ReadPosition applied_;  // behind the last turn
  Place state_;           // counts and numbers at applied_; the rest is filled in when it is saved
  uint64_t epochs_ = 0;
  // An end mark that is asked for, and what comes before it.
  enum class End : uint8_t { kNone, kBacklog, kMark };
  End end_ = End::kNone;
  bool changed_ = false;             // since the last checkpoint
  uint64_t partitions_version_ = 0;  // the log's, when the reader was opened
  // What the log does not give at present, and since when; OK: it gives everything.
  absl::Status held_;
  std::chrono::steady_clock::time_point held_since_;
  int64_t last_checkpoint_ms_ = 0;
  std::vector<double> epoch_seconds_;            // the last ones, as a ring
  double record_seconds_ = 0;                    // what a record cost lately
  uint64_t records_at_start_ = 0;                // applied before start()
  std::chrono::steady_clock::duration busy_{0};  // since then, without waiting

  ParkedReads parked_;
  mutable TurnQueue turns_;  // any thread
  mutable std::mutex failure_mutex_;
  absl::Status failure_;
  std::atomic<bool> follows_;  // another pipeline's order
  bool standing_ = false;      // a leader that takes nothing from the log
  // Of a follower's final outputs, by node: rows whose event time is below are not kept.
  std::map<operators::NodeId, int64_t> keep_from_us_;
  bool owes_kept_ = true;  // what was kept has not left yet, nor been dropped
  // Of a leader's: as the last checkpoint begun has it, and the one before.
  operators::OutputMarks said_in_checkpoint_;
  operators::OutputMarks said_before_;
  Pacer pacer_;                      // a follower's
  uint64_t follow_to_ = UINT64_MAX;  // entries of the journal that a follower applies
  std::shared_ptr<StateCopy> copy_;  // null: none is asked for
  std::atomic<bool> running_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
  std::shared_ptr<void> subscription_;
};

}  // namespace kappa::runtime
