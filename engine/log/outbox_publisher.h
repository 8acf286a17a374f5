#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::log {

// A record on its way out of a product, numbered in the product's order without gaps.
struct OutboxRecord {
  uint64_t sequence = 0;
  std::string topic;
  LogTime timestamp;
  std::optional<std::string> key;    // nullopt: a null key, and the partition follows from sequence
  std::optional<std::string> value;  // nullopt: a tombstone
  RecordHeaders headers;
};

// The header with a record's number, as PRODUCT/SEQUENCE.
inline constexpr char kOutboxSequenceHeader[] = "kappa-outbox";

// How far publishing has got, as a checkpoint remembers it.
struct OutboxMark {
  uint64_t published_to = 0;  // every record below is published
  // Where published records ended in each topic partition, for those who look for them there.
  std::vector<std::pair<TopicPartition, Offset>> ends;
};

// What is known at home of records that may or may not have been published before a restart.
struct OutboxHistory {
  uint64_t journal_id = 0;          // equal: a number names the same record as before
  std::optional<OutboxMark> mark;   // of the last checkpoint; nullopt: there is none
  uint64_t stored_to = 0;           // the store holds those from the mark up to here
  std::vector<std::string> topics;  // of those that it holds
};

// Brings a product's records to their topics, each once, across crashes of ours and of the log.
//
//   made ─recover()─► recovered ─publish()…─► … ─close()─► closed
//
// Implementations: header_outbox.h for logs without transactions, engine/log/kafka's kafka_outbox.h
// with them. One thread, but mark(), transaction_aborts() and close(), which are anybody's.
class OutboxPublisher {
 public:
  virtual ~OutboxPublisher() = default;

  // Finds out what is published. Topics that are not there count as empty. Any error but
  // Unavailable says that going on would lose or double records; its message says what to do.
  virtual absl::Status recover(const OutboxHistory& history) = 0;

  // Publishes records, in the order of their numbers; those that are published already are passed
  // over. Missing topics are made. On return they are durable in the log.
  //
  // Unavailable: the log does not answer, or not clearly. Call again with records from
  // mark().published_to on, which may have moved. Any other error is for good: FailedPrecondition,
  // another process publishes for the product; InvalidArgument, the log will never take this
  // record; PermissionDenied.
  virtual absl::Status publish(std::span<const OutboxRecord> records) = 0;

  // Topics that are made compacted if they are missing: before recover(), and before the records of
  // another plan.
  void set_compacted(std::set<std::string> topics) { compacted_ = std::move(topics); }

  virtual OutboxMark mark() const = 0;
  // Transactions that were begun and not, or not known to be, committed.
  virtual uint64_t transaction_aborts() const { return 0; }

  // Lets publish() end soon, with Unavailable, wherever it is.
  virtual void close() {}

 protected:
  bool makes_compacted(const std::string& topic) const { return compacted_.contains(topic); }

 private:
  std::set<std::string> compacted_;
};

}  // namespace kappa::log
