#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"

namespace kappa::log {

// A topic is a directory with topic.json and one directory for each partition:
//
//   {"format": 1, "partitions": 4, "retention_ms": 604800000, "retention_bytes": null}
//
// "compacted": true is there too if the topic was made so, and says that it must not lose the last
// record of a key: nothing is compacted, all records are kept, and it takes no retention.
//
// A directory whose name is no topic name (they end in '~') is a topic that was being made.

// InvalidArgument: names the field, what was found and what would be right.
absl::Status validate_topic_config(const std::string& topic, const TopicConfig& config);

// Makes the topic's directory appear whole or not at all; durable on return if `fsync`.
absl::Status write_topic(const std::string& log_directory, const std::string& topic,
                         const TopicConfig& config, bool fsync);

// DataLoss: damaged, or of a newer format.
absl::StatusOr<TopicConfig> read_topic(const std::string& log_directory, const std::string& topic);

std::string partition_directory(const std::string& log_directory, const TopicPartition& partition);

bool same_config(const TopicConfig& a, const TopicConfig& b);
// "4 partitions, retention 7000 ms, …", for messages.
std::string describe(const TopicConfig& config);

}  // namespace kappa::log
