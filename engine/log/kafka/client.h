#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/log/kafka/settings.h"
#include "engine/types/record.h"

struct rd_kafka_s;
struct rd_kafka_message_s;

namespace kappa::log {

// What librdkafka's statistics say of a partition that a client reads.
struct PartitionStatistics {
  int64_t log_start = -1;  // -1: not known yet
  int64_t high_watermark = -1;
  int64_t last_stable = -1;    // the end under read_committed
  int64_t queued_records = 0;  // fetched and not yet read
  int64_t queued_bytes = 0;
  std::string out_of_reach;  // why its leader does not answer; empty: it does
};

struct ClientStatistics {
  std::map<TopicPartition, PartitionStatistics> partitions;
  int64_t requests = 0;
  int64_t received_bytes = 0;
  int64_t sent_bytes = 0;
  int64_t request_errors = 0;
};

// One of librdkafka's clients, with its threads, connections and callbacks. Thread-safe. What was
// made of get() is destroyed before this.
class Client {
 public:
  struct Options {
    KafkaRole role = KafkaRole::kConsumer;
    std::string brokers;
    KafkaSettings settings;
    std::function<void(std::string_view)> log_line;
    std::string group;  // "": none
    // Of those with a group: why its offsets are not committed; on the thread that calls poll().
    std::function<void(int error)> on_group_error = {};
    // Of producers: what became of a record; on the thread that calls poll().
    void (*on_delivery)(const rd_kafka_message_s& message) = nullptr;
  };

  static absl::StatusOr<std::unique_ptr<Client>> make(Options options);
  ~Client();

  rd_kafka_s* get() const { return client_; }
  // Runs the callbacks that are due; waits for one at most that long.
  void poll(std::chrono::milliseconds wait) const;
  // What has lately gone wrong with the brokers, for a message; empty: nothing.
  std::string trouble() const;
  // Unauthenticated: the brokers have lately refused the connection (refusal_of()).
  absl::Status refusal() const;
  // The last statistics that came; empty ones before the first.
  std::shared_ptr<const ClientStatistics> statistics() const;

 private:
  struct Callbacks;
  explicit Client(Options options) : options_(std::move(options)) {}
  void note_trouble(int error, std::string_view reason);
  void take_statistics(std::string_view json);

  Options options_;
  rd_kafka_s* client_ = nullptr;
  mutable std::mutex mutex_;
  std::string trouble_;
  absl::Status refusal_;
  std::chrono::steady_clock::time_point trouble_at_;
  std::map<TopicPartition, std::string> silent_;  // by the last statistics
  std::shared_ptr<const ClientStatistics> statistics_ = std::make_shared<ClientStatistics>();
};

// Reads the JSON that librdkafka's statistics callback gets (STATISTICS.md there). What is not in
// it stays as it is above; text that is no JSON yields nothing.
ClientStatistics parse_statistics(std::string_view json);

}  // namespace kappa::log
