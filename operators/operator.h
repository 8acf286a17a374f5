#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "engine/types/record.h"
#include "operators/functions.h"
#include "operators/plan.h"
#include "state/event_log.h"
#include "state/table.h"

namespace kappa::operators {

// The watermark of an edge over an epoch, in microseconds: [0] as the epoch found it, [i + 1] as it
// is at place i. Never falls. A row meets track[row.place.track_index()].
using WatermarkTrack = std::vector<int64_t>;

// Something that leaves the data's way at a place: it is counted, and published with the outbox.
struct SideRow {
  enum class Kind : uint8_t {
    kError,      // an expression failed: dead letter
    kDuplicate,  // a second row of a primary key: dead letter
    kLate,       // refused by a closed window: late output
    kOutput,     // a row for an output topic
  };
  RowPlace place;
  NodeId node = kNoNode;
  Kind kind = Kind::kError;
  std::string tie;   // orders rows of one timer's place
  std::string text;  // the reason, the payload, or the late row as JSON
  SqlPosition position;
  std::optional<std::string> key = {};  // of an output's record
  bool tombstone = false;               // an output's record has no payload, and no text
  // Of an output's row:
  uint64_t content = 0;                       // a hash of what it says
  std::optional<int64_t> event_time_us = {};  // if its output is final (operators/final_output.h)
  bool wanted = true;  // else it is only counted, and has neither text nor key
  uint64_t rows = 1;   // not wanted, it may stand for several
};

// What an operator is given for one epoch. Everything is borrowed for the call.
struct OperatorContext {
  const WatermarkTrack& watermark;  // of the operator's input
  Arena& arena;                     // lives until the epoch ends
  std::vector<SideRow>& side;
  // Which record has a place of this epoch.
  const std::function<std::pair<const TopicPartition*, Offset>(uint32_t place)>& record_at;
  const WatermarkTrack* right_watermark = nullptr;  // of a join's right input
};

// An operator's running part on one worker. Not thread-safe: its worker's, or between epochs the
// coordinator's. It does no I/O and reads no clock.
class Operator {
 public:
  virtual ~Operator() = default;
  // Applies an epoch's input, ascending by place, and appends what comes of it to `out`. Called in
  // every epoch, with empty input too, since timers fire without rows.
  virtual void process(const Batch& input, const OperatorContext& context,
                       std::vector<Batch>* out) = 0;
  // The tables that hold its state; their ids are its node's.
  virtual std::vector<state::Table*> tables() { return {}; }
  // What it only ever appends to, stored beside its tables, under its node's id too; null: nothing.
  virtual state::EventLog* events() { return nullptr; }
  // An event of that log from the store's checkpoint of this number, in the order of checkpoints.
  // DataLoss: it is none.
  virtual absl::Status load_event(const state::StoredEvent& /*event*/, uint64_t /*checkpoint*/) {
    return absl::UnimplementedError("it has no events");
  }
  // Calls `visit` with key and value, as a row's, of each event that is part of the state at this
  // watermark.
  using VisitEvent = std::function<void(const std::string& key, const std::string& value)>;
  virtual void visit_events(int64_t /*watermark_us*/, const VisitEvent& /*visit*/) const {}
  // Whether a row of its tables is part of the state at this watermark, and not merely still there.
  // The watermark here and below is the input's; a lookup's is that of its right one.
  virtual bool kept(const std::byte* /*row*/, int64_t /*watermark_us*/) const { return true; }
  // Removes some of what is not. Called between epochs; the work of a call is bounded, and the next
  // one goes on from there.
  virtual void remove_expired(int64_t /*watermark_us*/) {}
  // After the tables were loaded from a checkpoint whose watermark on its input was this.
  virtual void restored(int64_t /*watermark_us*/) {}
};

// An operator with two inputs: a join's running part.
class JoinOperator : public Operator {
 public:
  // As process(). Of rows with the same place and tie, those of `right` come first: run through
  // both with for_each_run() (operators/join_order.h). The context's watermark is the join's, see
  // runtime/watermarks.h.
  virtual void process_both(const Batch& left, const Batch& right, const OperatorContext& context,
                            std::vector<Batch>* out) = 0;
  void process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) final;
};

// What a node's state is stored under: its fingerprint, and for the second of two equal nodes of a
// plan another number made from it.
uint64_t operator_id(const Plan& plan, NodeId node);

}  // namespace kappa::operators
