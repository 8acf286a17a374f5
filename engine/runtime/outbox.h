#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/log/log.h"
#include "engine/runtime/epoch.h"
#include "engine/runtime/order_reader.h"
#include "engine/runtime/place.h"
#include "operators/operator.h"
#include "operators/plan.h"
#include "state/checkpoint.h"

namespace kappa::runtime {

// What leaves a pipeline for topics: rows of output topics, dead letters (`TOPIC.dead-letters`; of
// a moment, which has no record, `VIEW.dead-letters`, or the product's for an output) and late
// output (`VIEW.late`). Entries are numbered as they arise; they wait for the checkpoint that
// holds the state which caused them, and are published once it is durable.
//
// Exactly once on a log without transactions: every published record carries its entry's number in
// a header, and checkpoints say where publishing had got to in each topic; on opening, what follows
// there is looked through for numbers of entries that the store still has.
//
// collect() and take_unsaved() are the coordinator's; publish() and recover() may be another
// thread's.
class Outbox {
 public:
  // Plan and log outlive this. `muted`: entries are counted, and dropped.
  Outbox(const operators::Plan& plan, std::string product, log::Log* log, bool muted);

  // Turns what left the way in an epoch into entries, and counts it in `place`.
  void collect(const std::vector<operators::SideRow>& side, const Epoch& epoch,
               const OrderReader& reader, Place* place);
  // The entries since the last call, for a checkpoint.
  std::vector<state::OutboxEntry> take_unsaved();

  // Publishes entries that are durable, in order. Entries published already are passed over.
  absl::Status publish(const std::vector<state::OutboxEntry>& entries);
  // After a restart: publishes those of `entries` that are not in the log yet.
  absl::Status recover(const std::vector<state::OutboxEntry>& entries, const Place& place);

  // All entries below are published; and where publishing has got to, taken at the same moment.
  uint64_t published_to() const;
  void save(Place* place, uint64_t* published_to) const;
  uint64_t pending(uint64_t next) const { return next - published_to(); }

 private:
  struct Destination {
    std::string topic;
    const char* kind;  // "output", "late", "dead-letter"
  };
  Destination destination(const operators::SideRow& row, const TopicPartition& source) const;
  const operators::ViewNode* view_below(operators::NodeId node) const;
  absl::Status ensure_topic(const std::string& topic);
  absl::Status find_published(const TopicPartition& partition, Offset from, uint64_t first,
                              std::vector<bool>* published);

  const operators::Plan& plan_;
  std::string product_;
  log::Log* log_;
  bool muted_;
  std::vector<state::OutboxEntry> unsaved_;
  mutable std::mutex mutex_;  // of what follows
  uint64_t published_to_ = 0;
  std::map<TopicPartition, Offset> ends_;
};

}  // namespace kappa::runtime
