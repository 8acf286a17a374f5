#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/kafka/client.h"
#include "engine/log/outbox_publisher.h"

namespace kappa::log {

// One producer's life, with transactions or without.
//
//   made ─init()─► ready ─begin()─► open ─produce()…─► flush() ─commit()─► ready
//
// After an error it is good for nothing but to be destroyed: what has become of the transaction is
// told by the log only. Unavailable: another producer may do better. One thread.
class OutboxProducer {
 public:
  // `transactional_id` empty: without transactions; init(), begin() and commit() do nothing then.
  static absl::StatusOr<std::unique_ptr<OutboxProducer>> make(const Client::Options& producer,
                                                              const std::string& transactional_id);
  ~OutboxProducer();  // what is in flight is dropped

  const Client& client() const { return *client_; }

  // Ends the transactions of every earlier producer with this id, and keeps it from beginning more.
  absl::Status init();
  absl::Status begin();
  // Makes the topic if it is not there, `compacted` or as the brokers do it by default.
  absl::Status produce(const OutboxRecord& record, bool compacted);
  // Waits until the brokers have all of it.
  absl::Status flush();
  absl::Status commit();

 private:
  // What delivery reports say. They come on our thread, from within flush() and commit().
  struct Delivery {
    int error = 0;  // the first
    std::string topic;
  };
  OutboxProducer() = default;
  static void on_delivery(const rd_kafka_message_s& message);
  absl::Status failure() const;
  absl::Status failed(int error, const std::string& what) const;
  absl::StatusOr<int32_t> partitions_of(const std::string& topic, bool compacted);

  bool transactional_ = false;
  Delivery delivery_;
  std::map<std::string, int32_t> partitions_;
  std::unique_ptr<Client> client_;
};

}  // namespace kappa::log
