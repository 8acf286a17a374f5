#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/record.h"
#include "engine/types/time.h"

namespace kappa::log {

struct TopicConfig {
  int32_t partitions = 1;
  std::optional<int64_t> retention_ms = {};     // by record timestamp; nullopt: for ever
  std::optional<int64_t> retention_bytes = {};  // per partition; nullopt: unlimited
  // Whether, however old, the last record of each key is kept, and those before it may go: Kafka's
  // cleanup.policy has `compact`. nullopt: not known, or as the log does it by default. The
  // embedded log keeps all records of such a topic.
  std::optional<bool> compacted = {};
  // Copies of a topic to be made, on other machines; nullopt: as the log does it by default. The
  // embedded log has one. What topics() and topic() tell does not have it.
  std::optional<int32_t> replication = {};
};

struct TopicInfo {
  std::string name;
  TopicConfig config;
};

// Offsets of a partition. start <= durable_end <= end.
struct PartitionRange {
  Offset start;        // the first record that retention has left
  Offset end;          // one past the last visible record: confirmed, not guessed
  Offset durable_end;  // one past the last record that survives a crash of the machine
};

struct RecordToAppend {
  std::optional<std::string_view> key = {};
  std::optional<std::string_view> value = {};
  std::optional<LogTime> timestamp = {};  // default: the log's clock
  std::optional<int32_t> partition = {};  // default: partition_for_key(); without a key: at random
  const RecordHeaders* headers = nullptr;
};

struct AppendedAt {
  int32_t partition;
  Offset offset;
};

// Something that a log tells of itself, in Prometheus's words.
struct LogFigure {
  std::string name;
  std::string help;
  bool counter = false;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

// Reads one partition forwards. One thread. Outlived by the Log that made it.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // The next records, about `bytes_max` of them but at least one if one has arrived. Does not wait:
  // an empty block does not say that the log ends there.
  // DataLoss: the position lies before the partition's start (retention), or bytes are corrupt;
  // the message names topic, partition and offsets. Unavailable: the partition is out of reach.
  virtual absl::StatusOr<RecordBlock> read(size_t bytes_max) = 0;
  // As read(), for who knows that the log goes on to `end`: waits a moment for what is before it.
  // An empty block says that there is nothing from the position to `end`, or that the log, against
  // expectation, ends at the position. Unavailable: it has not come yet; call again.
  virtual absl::StatusOr<RecordBlock> read_to(Offset /*end*/, size_t bytes_max) {
    return read(bytes_max);
  }
  // Uses the memory of a block again that nobody looks into any more: one that this reader gave, or
  // another one of this log.
  virtual void take_back(RecordBlock /*block*/) {}
  // Goes on at the first record whose offset is not less than `offset`.
  virtual void seek(Offset offset) = 0;
  virtual Offset position() const = 0;
};

// The port to a log of topics. Implementations: engine/log/embedded, engine/log/kafka.
// Thread-safe. Errors: NotFound names an unknown topic or partition; Unavailable, of a log on other
// machines: it does not answer, try again.
class Log {
 public:
  virtual ~Log() = default;

  virtual absl::StatusOr<std::vector<TopicInfo>> topics() const = 0;
  virtual absl::StatusOr<TopicInfo> topic(const std::string& name) const = 0;
  // AlreadyExists if there is one with another configuration; OK if it is the same.
  virtual absl::Status create_topic(const std::string& name, const TopicConfig& config) = 0;

  // May ask a broker. Unavailable: it does not answer; try again.
  virtual absl::StatusOr<PartitionRange> range(const TopicPartition& partition) const = 0;
  // What is known of the range without asking anybody: for figures, never for decisions.
  virtual absl::StatusOr<PartitionRange> last_range(const TopicPartition& partition) const {
    return range(partition);
  }
  // The first offset whose record's timestamp is not before `time`; the end if there is none.
  virtual absl::StatusOr<Offset> offset_for_time(const TopicPartition& partition,
                                                 LogTime time) const = 0;
  virtual absl::StatusOr<std::unique_ptr<LogReader>> open_reader(const TopicPartition& partition,
                                                                 Offset from) const = 0;

  // Appends in order; visible to readers on return, durable after sync(). All or nothing for each
  // partition. ResourceExhausted: the disk is full, nothing was appended.
  virtual absl::StatusOr<std::vector<AppendedAt>> append(
      const std::string& topic, std::span<const RecordToAppend> records) = 0;
  // On return, everything appended before the call is durable.
  virtual absl::Status sync() = 0;

  // `on_append` is called after each append that made records visible, from any thread; it must
  // only wake someone. Returns a handle whose destruction ends the subscription.
  virtual std::shared_ptr<void> on_append(std::function<void()> callback) = 0;

  // What tells this log from others that have the same topics: "embedded", "kafka CLUSTER".
  // Unavailable: nobody answers.
  virtual absl::StatusOr<std::string> identity() const = 0;
  // Another number than before once a topic that is read has more partitions. Cheap. A change is
  // told to those of on_append(), too.
  virtual uint64_t partitions_version() const { return 0; }
  // A checkpoint of a product covers all before these offsets: for those who watch its lag from
  // outside. Does not wait; may be lost.
  virtual void note_checkpoint(const std::string& /*product*/,
                               std::span<const std::pair<TopicPartition, Offset>> /*places*/) {}
  virtual std::vector<LogFigure> figures() const { return {}; }
};

// The partition Kafka's `murmur2_random` partitioner (Java's default for keyed records) picks.
int32_t partition_for_key(std::string_view key, int32_t partitions);

// Kafka's rule: 1 to 249 of [a-zA-Z0-9._-], neither "." nor "..".
absl::Status validate_topic_name(std::string_view name);

}  // namespace kappa::log
