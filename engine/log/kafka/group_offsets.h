#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "engine/log/kafka/client.h"
#include "engine/types/record.h"

namespace kappa::log {

// Commits a product's places as the offsets of a consumer group with its name, so that tools which
// watch groups see its lag. Nothing reads them back: positions come from checkpoints. Thread-safe.
class GroupOffsets {
 public:
  explicit GroupOffsets(Client::Options consumer) : options_(std::move(consumer)) {}

  // Sends them off without waiting. What is lost is overtaken by the next.
  void commit(const std::string& product,
              std::span<const std::pair<TopicPartition, Offset>> places);
  // The clients there are, to be polled.
  std::vector<Client*> all() const;

 private:
  const Client::Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Client>> clients_;  // by product
};

}  // namespace kappa::log
