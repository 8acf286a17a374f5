#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "operators/deviation.h"
#include "operators/disorder_index.h"
#include "operators/event_chain.h"
#include "operators/extreme_values.h"
#include "operators/operator.h"
#include "operators/running_values.h"
#include "operators/sweep_pace.h"
#include "state/event_log.h"

namespace kappa::operators {

// OVER on one worker, by values that are kept running: for counts, exact sums, averages and
// deviations of them, counts of distinct values, least and greatest ones over frames of time; and
// by single events that are found in the log: the first, the last, and the n-th before. A row costs
// as much as it has frames, however long they are, as long as rows come in the order of event time;
// one that does not pays for the events of its partition that lie between its time and the latest.
//
// State: the events, each appended once to an event log; in stored form (state/stored_events.h) its
// body is
//
//   partition columns as in a key | a number that tells events of the partition and one time apart
//   in the order in which they came, varint | seen, varint | for each slot (RunningValues) that
//   sums and sees it: its value | for each that counts distinct values and sees it: the value as in
//   a key
//
// with keys and values as state/row_codec.h writes them. All else is made from the events.
//
//   arrives ─► log ─ T beyond time + end ─► enters ─ T beyond time + start ─► leaves
//
// A partition's running values are those at T, the largest time seen. An answer at an earlier t
// takes back what entered since t, and adds what left since t.
//
// Events older than the watermark less the horizon count for nobody, and are forgotten.
class RunningFrames final : public Operator {
 public:
  RunningFrames(const Plan& plan, NodeId node);

  void process(const Batch& input, const OperatorContext& context,
               std::vector<Batch>* out) override;
  void restored(int64_t watermark_us) override;
  void remove_expired(int64_t watermark_us) override;
  state::EventLog* events() override { return &log_; }
  absl::Status load_event(const state::StoredEvent& event, uint64_t checkpoint) override;
  void visit_events(int64_t watermark_us, const VisitEvent& visit) const override;

 private:
  using Running = RunningValues::Running;
  using Threshold = RunningValues::Threshold;
  // A batch's partitions, and what the slots see of its rows.
  struct Rows {
    std::vector<ColumnRef> key;
    std::vector<state::RowId> partitions;
    std::vector<uint32_t> seen;                    // by row: a bit a slot
    std::vector<std::vector<int64_t>> values;      // by slot that has values, by row
    std::vector<std::vector<state::RowId>> pairs;  // by slot that counts distinct values, by row
  };
  // What a batch's rows are answered with, by running value and row.
  struct Answers {
    std::vector<std::vector<int64_t>> counts;
    std::vector<std::vector<int128>> sums;
    std::vector<std::vector<SumOfSquares>> squares;
    // An extreme, or the value that is picked. Where there is none, the count is 0.
    std::vector<std::vector<int64_t>> extremes;
    std::vector<int8_t> late;  // by row
  };
  // What an answer at an earlier time differs by from the running value.
  struct Difference {
    int64_t count = 0;
    int128 sum = 0;
    SumOfSquares squares{};
    absl::flat_hash_map<state::RowId, int64_t> pairs;
  };

  Rows look_up(const Batch& input);
  void find_pairs(const Batch& input, size_t slot, Rows* rows);
  void move_on(int64_t time_us);
  void pass(size_t threshold);
  void pass_event(uint64_t number, size_t threshold);
  // Makes a row one of its partition's events, with everything that follows from that.
  void insert(const Rows& rows, size_t row, int64_t time_us);
  void insert_loaded();
  // For the event that was appended last, whose time, partition and values are known.
  void link(EventHeader& event, std::byte* partition, bool from_checkpoint);
  void arrive(const EventHeader& event, std::byte* partition);
  void count_in(const EventHeader& event, std::byte* partition, const Running& running,
                int64_t sign);
  uint32_t number_of(state::RowId id, int64_t time_us);
  bool keys_have_strings() const;
  size_t body_bytes_max(const EventHeader& event) const;
  // They return the end. A body is key, number and value.
  char* write_body(const EventHeader& event, const std::byte* partition, char* to) const;
  char* write_values(const EventHeader& event, size_t key_bytes, char* to) const;

  void answer(state::RowId partition, size_t row, int64_t time_us, int64_t watermark_us);
  // For one running value.
  void answer_running(state::RowId partition, size_t running, size_t row);
  void answer_earlier(state::RowId partition, size_t running, size_t row, int64_t time_us,
                      int64_t watermark_us);
  // The least or greatest value in the frame.
  std::optional<int64_t> extreme(const Running& running, state::RowId id, int64_t time_us,
                                 int64_t watermark_us);
  // What a call that picks an event may pick from: those of a partition with a time in [low, high].
  struct Choice {
    state::RowId partition;
    uint64_t own;  // 1 + number of the row's event
    int64_t low_us;
    int64_t high_us;
    int64_t oldest_us;  // older ones count for nobody
  };
  Choice choice_of(const Running& running, state::RowId partition, size_t row, int64_t time_us,
                   int64_t watermark_us) const;
  // The value of the event that is picked. None: there is no such event, or it is null.
  std::optional<int64_t> pick(const Running& running, const Choice& choice);
  std::optional<int64_t> pick_first(const Running& running, const Choice& choice);
  // 1 + number of an event, 0: none.
  uint64_t first_event(const Choice& choice);
  uint64_t last_event(const Running& running, const Choice& choice);
  uint64_t event_before(const Running& running, const Choice& choice);
  std::optional<int64_t> value_of(uint64_t event, size_t slot) const;
  void note_first(const Running& running, const EventHeader& event, int64_t from_us,
                  std::byte* partition);
  // An event that has arrived may be the first one where another was known to be.
  void update_firsts(const EventHeader& event, std::byte* partition);
  void note_steps(const Choice& choice, uint64_t steps);
  Column result(size_t call) const;
  Column picks(const FrameCall& call, size_t running) const;
  Column extremes(const FrameCall& call, size_t running) const;
  Column deviations(const FrameCall& call, size_t running) const;
  // Those of a partition's events with time in [low, high), all of which the running value has let
  // in (or out).
  struct Stretch {
    state::RowId partition;
    uint64_t from;  // none of them comes behind the event of number `from` - 1 in its chain
    int64_t low_us;
    int64_t high_us;
    int64_t oldest_us;  // older ones count for nobody
  };
  // Adds them with a sign.
  void add_between(const Stretch& stretch, int64_t sign, const Running& running,
                   Difference* difference);
  void add_indexed(DisorderIndex::Events& events, const Stretch& stretch, int64_t sign,
                   const Running& running, Difference* difference) const;
  bool find_difference(const Running& running, state::RowId id, int64_t time_us,
                       int64_t watermark_us, Difference* difference);

  const EventHeader& event(uint64_t number) const {
    return *reinterpret_cast<const EventHeader*>(log_.record(number));
  }
  void sweep_partitions(int64_t before_us);
  void sweep_pairs(int64_t before_us);

  const PlanNode& node_;
  const SlidingNode& op_;
  const Schema& input_schema_;
  RunningValues values_;
  state::EventLog log_;
  DisorderIndex index_;
  EventChain chain_;
  const bool keys_have_strings_;
  size_t body_bytes_max_ = 0;  // of any event, unless keys have strings

  std::vector<ExtremeValues> extremes_;

  int64_t watermark_us_;         // the largest seen
  int64_t time_max_us_;          // T: the largest event time or watermark seen
  int64_t in_order_time_us_;     // the largest event time
  std::vector<uint64_t> next_;   // by threshold: the first event in order that has not passed
  std::vector<int64_t> passed_;  // by threshold: events with a time below have passed
  // The others, by time, as long as they count.
  absl::btree_set<std::pair<int64_t, uint64_t>> out_of_order_;
  // Where the sweep of a table is, and how fast.
  struct Sweep {
    SweepPace pace;
    state::RowId next = 0;
  };
  Sweep partition_sweep_;
  std::vector<Sweep> pair_sweeps_;  // by slot

  std::vector<std::byte> loaded_;  // records, from load_event(), not yet inserted
  Answers answers_;                // scratch of process()
  std::vector<uint64_t> own_;      // the same: 1 + number of a row's event, if calls pick some
};

}  // namespace kappa::operators
