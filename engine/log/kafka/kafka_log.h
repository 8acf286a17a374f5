#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/kafka/settings.h"
#include "engine/log/log.h"

namespace kappa::log {

struct KafkaOptions {
  std::string brokers;     // host:port[,host:port]: parse_kafka_address()
  KafkaSettings settings;  // librdkafka's own properties: read_kafka_config()
  // Takes each of librdkafka's log lines, without its end; any thread. Default: standard error.
  std::function<void(std::string_view)> log_line;
  // How often topics that are read are looked up for new partitions.
  int64_t look_for_partitions_ms = 5000;
};

// The Log port over Kafka (README.md beside this file). Connects in the background: what needs a
// broker that does not answer is Unavailable, and works once it does. What reads is outlived by it.
// InvalidArgument: a property, by name.
absl::StatusOr<std::unique_ptr<Log>> open_kafka_log(KafkaOptions options);

// The version of librdkafka that is linked: "2.0.2".
std::string kafka_library_version();

}  // namespace kappa::log
