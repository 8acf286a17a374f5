#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/epoch.h"
#include "engine/runtime/kept_outputs.h"
#include "engine/runtime/order_reader.h"
#include "engine/runtime/pipeline.h"
#include "engine/runtime/place.h"
#include "engine/types/time.h"
#include "operators/operator.h"
#include "operators/plan.h"
#include "state/checkpoint.h"

namespace kappa::runtime {

// What leaves a pipeline for topics: rows of output topics, dead letters (`TOPIC.dead-letters`; of
// a moment, which has no record, `VIEW.dead-letters`, or the product's for an output) and late
// output (`VIEW.late`). Entries are numbered as they arise; they wait for the checkpoint that
// holds the state which caused them. OutboxDelivery takes them on from there.
//
// Each carries its identity in headers: the record that caused it (kappa-topic, kappa-partition,
// kappa-offset), the statement (kappa-statement), which of the statement's rows for that record it
// is (kappa-ordinal), and its number. The coordinator's.
class Outbox {
 public:
  // The plan outlives this.
  Outbox(const operators::Plan& plan, std::string product, bool muted);

  // Turns what left the way in an epoch into entries, and counts it in `place`.
  void collect(const std::vector<operators::SideRow>& side, const Epoch& epoch,
               const OrderReader& reader, Place* place);
  // Turns what nothing in the order has caused into entries, of this time: they name no record.
  void add(std::vector<OutputRecord> records, LogTime time, Place* place);
  // Muted: what comes is counted, and dropped, but for rows of final outputs that are wanted as
  // records (operators/output.h): they are kept.
  void mute(bool muted) { muted_ = muted; }
  bool muted() const { return muted_; }
  KeptOutputs& kept() { return kept_; }
  // Lets what is kept leave as the next entries: of these outputs, from these event times on. The
  // rest of it is dropped.
  absl::Status say_kept(const state::CheckpointStore& store,
                        const std::map<operators::NodeId, int64_t>& from_us, Place* place);
  // The entries since the last call, for a checkpoint.
  std::vector<state::OutboxEntry> take_unsaved();

 private:
  log::OutboxRecord record_of(const operators::SideRow& row, uint32_t ordinal, const Epoch& epoch,
                              const OrderReader& reader) const;
  void add_dead_letter(const operators::SideRow& row, const EpochPlace& at,
                       log::OutboxRecord* letter) const;
  // Numbers a record and lets it leave.
  void leave(log::OutboxRecord record, Place* place);
  std::string destination(const operators::SideRow& row, const TopicPartition& source) const;
  const operators::ViewNode* view_below(operators::NodeId node) const;

  const operators::Plan& plan_;
  std::string product_;
  bool muted_;
  KeptOutputs kept_;
  std::vector<state::OutboxEntry> unsaved_;
};

}  // namespace kappa::runtime
