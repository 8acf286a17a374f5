#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "engine/log/kafka/message_block.h"
#include "engine/log/kafka/parts.h"
#include "engine/log/log.h"

struct rd_kafka_topic_s;
struct rd_kafka_queue_s;

namespace kappa::log {

// Reads a partition by a fetcher and queue of its own in a consumer that others share.
//
//   fetching ─records─► fetching          (the queue wakes who waits for appends)
//      ├─leader lost, topic gone─► out of reach ─it answers again─► is it the same log? ─► fetching
//      └─position outside the log, bad bytes, no right─► failed
class KafkaReader final : public LogReader {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaReader>> open(KafkaParts* parts,
                                                           const TopicPartition& partition,
                                                           Offset from);
  ~KafkaReader() override;

  absl::StatusOr<RecordBlock> read(size_t bytes_max) override;
  absl::StatusOr<RecordBlock> read_to(Offset end, size_t bytes_max) override;
  void seek(Offset offset) override;
  Offset position() const override { return position_; }

 private:
  struct Callbacks;
  // The last record handed out, wherever it was, to tell whether a log that comes back is the same.
  struct LastRecord {
    Offset offset;
    uint64_t hash = 0;
  };

  KafkaReader(KafkaParts* parts, TopicPartition partition, Offset from)
      : parts_(*parts), partition_(std::move(partition)), position_(from) {}
  absl::Status start();
  void stop();

  // Takes what is queued, up to a block; waits for the first of it.
  absl::Status consume(size_t bytes_max, std::chrono::milliseconds wait);
  void take(const rd_kafka_message_s& message);
  void take_event(const rd_kafka_message_s& message);
  void pass_marks();
  void wake_fetcher(size_t taken_bytes_min);
  RecordBlock take_block();

  absl::Status check_leader();
  absl::Status check_reach();
  absl::Status check_same_log();
  absl::Status explain_gap();
  absl::Status unavailable(const std::string& why) const;
  absl::Status check_end(Offset end);

  KafkaParts& parts_;
  const TopicPartition partition_;
  Offset position_;
  std::unique_ptr<ConsumerShelf::Lease> lease_;
  rd_kafka_topic_s* topic_ = nullptr;
  rd_kafka_queue_s* queue_ = nullptr;

  MessageBlock block_;
  size_t taken_bytes_ = 0;  // since the fetcher was woken
  std::optional<LastRecord> last_;
  std::string trouble_;         // what the fetcher said last; empty since records came
  bool outside_log_ = false;    // the fetcher has stopped: the broker does not have the position
  bool maybe_another_ = false;  // the topic was away: compare before going on
  bool at_end_ = false;         // the fetcher was at the end at position_
  absl::Status failure_;
};

}  // namespace kappa::log
