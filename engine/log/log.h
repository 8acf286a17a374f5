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

// Reads one partition forwards. One thread. Outlived by the Log that made it.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // The next records, about `bytes_max` of them but at least one if there is one; empty at the end.
  // DataLoss: the position lies before the partition's start (retention), or bytes are corrupt;
  // the message names topic, partition and offsets.
  virtual absl::StatusOr<RecordBlock> read(size_t bytes_max) = 0;
  // Goes on at the first record whose offset is not less than `offset`.
  virtual void seek(Offset offset) = 0;
  virtual Offset position() const = 0;
};

// The port to a log of topics. Implementations: engine/log/embedded, engine/log/kafka.
// Thread-safe. Errors: NotFound names an unknown topic or partition.
class Log {
 public:
  virtual ~Log() = default;

  virtual absl::StatusOr<std::vector<TopicInfo>> topics() const = 0;
  virtual absl::StatusOr<TopicInfo> topic(const std::string& name) const = 0;
  // AlreadyExists if there is one with another configuration; OK if it is the same.
  virtual absl::Status create_topic(const std::string& name, const TopicConfig& config) = 0;

  virtual absl::StatusOr<PartitionRange> range(const TopicPartition& partition) const = 0;
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
};

// The partition Kafka's `murmur2_random` partitioner (Java's default for keyed records) picks.
int32_t partition_for_key(std::string_view key, int32_t partitions);

// Kafka's rule: 1 to 249 of [a-zA-Z0-9._-], neither "." nor "..".
absl::Status validate_topic_name(std::string_view name);

}  // namespace kappa::log
