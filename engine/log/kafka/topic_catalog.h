#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/kafka/consumer_shelf.h"
#include "engine/log/log.h"

namespace kappa::log {

// The topics of the cluster, by the brokers' metadata and their configurations. Thread-safe.
class TopicCatalog {
 public:
  explicit TopicCatalog(ConsumerShelf* consumers) : consumers_(consumers) {}

  // Those that are not Kafka's own.
  absl::StatusOr<std::vector<TopicInfo>> topics();
  // As of the last second. NotFound.
  absl::StatusOr<TopicInfo> topic(const std::string& name);
  // NotFound unless the topic is there and has the partition.
  absl::Status check(const TopicPartition& partition);
  // As Log::create_topic().
  absl::Status create(const std::string& name, const TopicConfig& config);
  // The cluster's id. Waits a moment for it. Unavailable; Unauthenticated: the brokers refuse us.
  absl::StatusOr<std::string> cluster_id();

  // Looks the topics up again and returns those that have more partitions than when last seen.
  std::vector<std::string> grown(const std::vector<std::string>& topics);

 private:
  using Clock = std::chrono::steady_clock;
  struct Known {
    TopicInfo info;
    Clock::time_point looked_up;
    Clock::time_point config_looked_up;
  };
  struct Counted {
    int32_t partitions = 0;
    int32_t broker = -1;  // one that is there
  };
  absl::StatusOr<Counted> partitions_of(const std::string& name);
  absl::Status wait_for(const std::string& name);
  absl::StatusOr<TopicInfo> look_up(const std::string& name, bool with_config);

  ConsumerShelf* consumers_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace kappa::log
