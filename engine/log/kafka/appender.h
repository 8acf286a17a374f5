#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/kafka/client.h"
#include "engine/log/kafka/topic_catalog.h"
#include "engine/log/log.h"

namespace kappa::log {

// Appends by an idempotent producer, which is made when it is first needed, and made anew after an
// error that it cannot survive. Thread-safe.
class Appender {
 public:
  Appender(Client::Options producer, TopicCatalog* topics);
  ~Appender();

  // Waits until the brokers have all records, or have refused some. On an error a part of them may
  // have been appended: Kafka has no all or nothing without transactions.
  absl::StatusOr<std::vector<AppendedAt>> append(const std::string& topic,
                                                 std::span<const RecordToAppend> records);
  // One past the last record that was appended here; 0: none was.
  Offset end_of(const TopicPartition& partition) const;

 private:
  struct Call;
  absl::StatusOr<std::shared_ptr<Client>> producer();
  void give_up(const std::shared_ptr<Client>& broken);
  void run();

  const Client::Options options_;
  TopicCatalog* topics_;
  mutable std::mutex mutex_;
  std::shared_ptr<Client> producer_;
  std::map<TopicPartition, Offset> ends_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace kappa::log
