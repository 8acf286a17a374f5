#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
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

  using Places = std::vector<std::pair<TopicPartition, Offset>>;
  // Sends them off without waiting. What does not get there is overtaken by the next, or sent again
  // by poll(): a cluster's first group takes seconds to be made.
  void commit(const std::string& product, std::span<const Places::value_type> places);
  // To be called now and then: answers are looked at, and what failed is sent again.
  void poll();

 private:
  using Clock = std::chrono::steady_clock;
  // Of a product.
  struct Group {
    std::unique_ptr<Client> client;
    Places places;  // the last ones
    Clock::time_point sent_at;
    bool again = false;    // they may not have got there
    bool refused = false;  // which was told
  };
  static void send(Group& group);
  void note_error(const std::string& product, int error);

  const Client::Options options_;
  std::mutex mutex_;
  std::map<std::string, Group> groups_;  // by product; none is ever removed
};

}  // namespace kappa::log
