#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/embedded/partition.h"
#include "engine/log/log.h"

namespace kappa::log {

// The topics a log has open. Topics are added, never removed, so what find() returns stays valid as
// long as the map. Thread-safe.
class TopicMap {
 public:
  struct Topic {
    TopicInfo info;
    std::vector<std::unique_ptr<Partition>> partitions;
    std::atomic<uint64_t> keyless_records{0};  // appended so far, for spreading them
  };

  // Returns the one that is there already, if there is one.
  Topic& add(std::unique_ptr<Topic> topic);
  Topic* find_if_there(const std::string& name) const;
  // NotFound: names the topics there are.
  absl::StatusOr<Topic*> find(const std::string& name) const;
  absl::StatusOr<Partition*> find(const TopicPartition& partition) const;
  std::vector<Topic*> all() const;  // by name

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<Topic>> topics_;
};

// NotFound, saying how many partitions the topic has.
absl::Status no_such_partition(const TopicInfo& topic, int32_t partition);

}  // namespace kappa::log
