#include "engine/log/kafka/group_offsets.h"

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"

namespace kappa::log {
namespace {

constexpr std::chrono::seconds kPause{1};  // before what failed is sent again

}  // namespace

void GroupOffsets::commit(const std::string& product, std::span<const Places::value_type> places) {
  if (places.empty()) return;
  const std::lock_guard lock(mutex_);
  Group& group = groups_[product];
  if (!group.client) {
    Client::Options options = options_;
    options.group = product;
    options.on_group_error = [this, product](int error) { note_error(product, error); };
    auto made = Client::make(std::move(options));
    if (!made.ok()) return;  // the same configuration has made the readers' clients
    group.client = *std::move(made);
  }
  group.places.assign(places.begin(), places.end());
  send(group);
}

void GroupOffsets::send(Group& group) {
  rd_kafka_topic_partition_list_t* offsets =
      rd_kafka_topic_partition_list_new(static_cast<int>(group.places.size()));
  for (const auto& [partition, next] : group.places) {
    rd_kafka_topic_partition_list_add(offsets, partition.topic.c_str(), partition.partition)
        ->offset = next.value;
  }
  rd_kafka_commit(group.client->get(), offsets, /*async=*/1);
  rd_kafka_topic_partition_list_destroy(offsets);
  group.sent_at = Clock::now();
  group.again = false;
}

void GroupOffsets::poll() {
  std::vector<const Client*> clients;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [product, group] : groups_) {
      if (group.client) clients.push_back(group.client.get());
    }
  }
  // Not under the lock: this is where note_error() is called.
  for (const Client* client : clients) client->poll(std::chrono::milliseconds(0));
  const std::lock_guard lock(mutex_);
  for (auto& [product, group] : groups_) {
    if (group.again && Clock::now() - group.sent_at >= kPause) send(group);
  }
}

void GroupOffsets::note_error(const std::string& product, int error) {
  const absl::Status status = kafka_status(error, absl::StrCat("group ", product));
  {
    const std::lock_guard lock(mutex_);
    Group& group = groups_[product];
    if (!is_refused(status)) {
      group.again = true;
      return;
    }
    if (std::exchange(group.refused, true)) return;
  }
  options_.log_line(absl::StrCat("nobody who watches groups sees the lag of product ", product,
                                 ": ", status.message()));
}

}  // namespace kappa::log
