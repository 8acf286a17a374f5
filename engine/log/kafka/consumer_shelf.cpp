#include "engine/log/kafka/consumer_shelf.h"

#include "engine/types/status_macros.h"

namespace kappa::log {

ConsumerShelf::Lease::~Lease() {
  const std::lock_guard lock(shelf_->mutex_);
  shelf_->consumers_[consumer_].partitions.erase(partition_);
}

absl::StatusOr<std::unique_ptr<ConsumerShelf::Lease>> ConsumerShelf::take(
    const TopicPartition& partition) {
  const std::lock_guard lock(mutex_);
  size_t which = 0;
  while (which < consumers_.size() && consumers_[which].partitions.contains(partition)) ++which;
  if (which == consumers_.size()) {
    KAPPA_ASSIGN_OR_RETURN(auto client, Client::make(options_));
    consumers_.push_back({std::move(client), {}});
  }
  consumers_[which].partitions.insert(partition);
  return std::make_unique<Lease>(this, which, consumers_[which].client.get(), partition);
}

absl::StatusOr<Client*> ConsumerShelf::first() {
  const std::lock_guard lock(mutex_);
  if (consumers_.empty()) {
    KAPPA_ASSIGN_OR_RETURN(auto client, Client::make(options_));
    consumers_.push_back({std::move(client), {}});
  }
  return consumers_.front().client.get();
}

std::vector<Client*> ConsumerShelf::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Client*> clients;
  for (const Consumer& consumer : consumers_) clients.push_back(consumer.client.get());
  return clients;
}

std::set<TopicPartition> ConsumerShelf::in_use() const {
  const std::lock_guard lock(mutex_);
  std::set<TopicPartition> partitions;
  for (const Consumer& consumer : consumers_) {
    partitions.insert(consumer.partitions.begin(), consumer.partitions.end());
  }
  return partitions;
}

}  // namespace kappa::log
