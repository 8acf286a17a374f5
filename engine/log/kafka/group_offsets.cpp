#include "engine/log/kafka/group_offsets.h"

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"

namespace kappa::log {

void GroupOffsets::commit(const std::string& product,
                          std::span<const std::pair<TopicPartition, Offset>> places) {
  if (places.empty()) return;
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Client>& client = clients_[product];
  if (!client) {
    Client::Options options = options_;
    options.group = product;
    options.on_group_error = [this, product](int error) { note_error(product, error); };
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

void GroupOffsets::note_error(const std::string& product, int error) {
  const absl::Status status = kafka_status(error, absl::StrCat("group ", product));
  // What passes is made good by the next commit.
  if (!is_refused(status)) return;
  {
    const std::lock_guard lock(mutex_);
    if (!refused_.insert(product).second) return;
  }
  options_.log_line(absl::StrCat("nobody who watches groups sees the lag of product ", product,
                                 ": ", status.message()));
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
