#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/kafka/client.h"
#include "engine/log/kafka/settings.h"
#include "engine/log/log.h"

namespace kappa::log {

// Makes a topic. Returns once the controller has it; AlreadyExists as it says.
absl::Status create_kafka_topic(const Client& client, const std::string& name,
                                const TopicConfig& config);
// With Kafka's own names of settings. `replicas`: the brokers' default unless it is said.
absl::Status create_kafka_topic(const Client& client, const std::string& name, int32_t partitions,
                                std::optional<int32_t> replicas, const KafkaSettings& settings);
// What making a topic would say; none is made. OK, too, if it is there.
absl::Status validate_kafka_topic(const Client& client, const std::string& name);
// NotFound.
absl::StatusOr<int32_t> count_partitions(const Client& client, const std::string& topic);

inline constexpr int32_t kAnyBroker = -1;
// A topic's settings; none where the brokers do not tell them.
absl::StatusOr<std::map<std::string, std::string>> read_topic_settings(const Client& client,
                                                                       int32_t broker,
                                                                       const std::string& name);
// Fills in what a topic keeps, which any broker knows: whether it is compacted, and its retention,
// which a topic has none of that is only compacted. Where it does not tell (no right to describe
// configurations, or the mock cluster) it stays as it is.
absl::Status read_cleanup(const Client& client, int32_t broker, const std::string& name,
                          TopicConfig* config);

}  // namespace kappa::log
