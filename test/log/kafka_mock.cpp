#include "test/log/kafka_mock.h"

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

namespace kappa::log {

MockCluster::MockCluster(int brokers) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
  REQUIRE(handle_ != nullptr);
  cluster_ = rd_kafka_mock_cluster_new(handle_, brokers);
  REQUIRE(cluster_ != nullptr);
  brokers_ = rd_kafka_mock_cluster_bootstraps(cluster_);
}

MockCluster::~MockCluster() {
  rd_kafka_mock_cluster_destroy(cluster_);
  rd_kafka_destroy(handle_);
}

void MockCluster::make_topic(const std::string& name, int partitions) {
  REQUIRE(rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1) == 0);
}

void MockCluster::set_down(int broker) {
  rd_kafka_mock_broker_set_down(cluster_, broker);
}

void MockCluster::set_up(int broker) {
  rd_kafka_mock_broker_set_up(cluster_, broker);
}

void MockCluster::set_leader(const std::string& topic, int partition, int broker) {
  REQUIRE(rd_kafka_mock_partition_set_leader(cluster_, topic.c_str(), partition, broker) == 0);
}

void MockCluster::fail_fetches(int error, size_t count) {
  constexpr int16_t kFetch = 1;
  const std::vector<rd_kafka_resp_err_t> errors(count, static_cast<rd_kafka_resp_err_t>(error));
  rd_kafka_mock_push_request_errors_array(cluster_, kFetch, count, errors.data());
}

void MockCluster::set_topic_error(const std::string& topic, int error) {
  rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), static_cast<rd_kafka_resp_err_t>(error));
}

std::unique_ptr<Log> MockCluster::open(KafkaSettings settings) {
  KafkaOptions options;
  options.brokers = brokers_;
  options.settings = std::move(settings);
  options.log_line = [](std::string_view) {};
  options.look_for_partitions_ms = 200;
  auto log = open_kafka_log(options);
  INFO(log.status());
  REQUIRE(log.ok());
  return *std::move(log);
}

}  // namespace kappa::log
