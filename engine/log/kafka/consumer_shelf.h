#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/kafka/client.h"

namespace kappa::log {

// The consumers that readers share. A client of librdkafka reads a partition at one place only, so
// a second reader of it (a replay, a look at the last record) gets another client; most readers are
// served by the first. Thread-safe.
class ConsumerShelf {
 public:
  explicit ConsumerShelf(Client::Options options) : options_(std::move(options)) {}

  // A client in which nobody reads the partition, until the lease ends.
  class Lease {
   public:
    Lease(ConsumerShelf* shelf, size_t consumer, Client* client, TopicPartition partition)
        : shelf_(shelf), consumer_(consumer), client_(client), partition_(std::move(partition)) {}
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Client& client() const { return *client_; }

   private:
    ConsumerShelf* shelf_;
    size_t consumer_;
    Client* client_;
    TopicPartition partition_;
  };
  absl::StatusOr<std::unique_ptr<Lease>> take(const TopicPartition& partition);

  // The first one, made if need be: for questions to the brokers.
  absl::StatusOr<Client*> first();
  // All there are, to be polled.
  std::vector<Client*> all() const;
  // The partitions that somebody reads.
  std::set<TopicPartition> in_use() const;

 private:
  struct Consumer {
    std::unique_ptr<Client> client;
    std::set<TopicPartition> partitions;
  };

  const Client::Options options_;
  mutable std::mutex mutex_;
  std::vector<Consumer> consumers_;
};

}  // namespace kappa::log
