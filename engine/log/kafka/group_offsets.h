#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/log/kafka/client.h"
#include "engine/types/record.h"

namespace kappa::log {

// Commits a product's places as the offsets of a consumer group with its name, so that tools which
// watch groups see its lag. Nothing reads them back: positions come from checkpoints. Brokers that
// do not allow it are told of once. Thread-safe.
class GroupOffsets {
 public:
  explicit GroupOffsets(Client::Options consumer) : options_(std::move(consumer)) {}

  // Sends them off without waiting. What is lost is overtaken by the next.
  void commit(const std::string& product,
              std::span<const std::pair<TopicPartition, Offset>> places);
  // The clients there are, to be polled.
  std::vector<Client*> all() const;

 private:
  void note_error(const std::string& product, int error);

  const Client::Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Client>> clients_;  // by product
  std::set<std::string> refused_;                           // products of which it was told
};

}  // namespace kappa::log
