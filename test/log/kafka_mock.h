#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/log/kafka/kafka_log.h"

struct rd_kafka_s;
struct rd_kafka_mock_cluster_s;

namespace kappa::log {

// librdkafka's cluster in the process. It proves fetching, errors and outages; it knows neither
// offsets by time nor transactions, and has no Admin API.
class MockCluster {
 public:
  explicit MockCluster(int brokers = 1);
  ~MockCluster();

  void make_topic(const std::string& name, int partitions);
  // A broker, from 1 on, goes away or comes back.
  void set_down(int broker);
  void set_up(int broker);
  void set_leader(const std::string& topic, int partition, int broker);
  // The next `count` fetches are answered with an error of librdkafka.
  void fail_fetches(int error, size_t count);
  // What every question about a topic is answered with; 0: as it is.
  void set_topic_error(const std::string& topic, int error);

  std::unique_ptr<Log> open(KafkaSettings settings = {});
  const std::string& brokers() const { return brokers_; }

 private:
  rd_kafka_s* handle_;
  rd_kafka_mock_cluster_s* cluster_;
  std::string brokers_;
};

}  // namespace kappa::log
