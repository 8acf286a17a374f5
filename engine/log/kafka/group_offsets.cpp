#include "engine/log/kafka/group_offsets.h"

#include <librdkafka/rdkafka.h>

namespace kappa::log {

void GroupOffsets::commit(const std::string& product,
                          std::span<const std::pair<TopicPartition, Offset>> places) {
  if (places.empty()) return;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Client>& client = clients_[product];
  if (!client) {
    Client::Options options = options_;
    options.group = product;
    auto made = Client::make(std::move(options));
    if (!made.ok()) return;  // the same configuration has made the readers' clients
    client = *std::move(made);
  }
  rd_kafka_topic_partition_list_t* offsets =
      rd_kafka_topic_partition_list_new(static_cast<int>(places.size()));
  for (const auto& [partition, next] : places) {
    rd_kafka_topic_partition_list_add(offsets, partition.topic.c_str(), partition.partition)
        ->offset = next.value;
  }
  rd_kafka_commit(client->get(), offsets, /*async=*/1);
  rd_kafka_topic_partition_list_destroy(offsets);
}

std::vector<Client*> GroupOffsets::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Client*> clients;
  for (const auto& [product, client] : clients_) {
    if (client) clients.push_back(client.get());
  }
  return clients;
}

}  // namespace kappa::log
