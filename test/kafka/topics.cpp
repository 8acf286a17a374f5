// Topics of test brokers are made and deleted through librdkafka's admin calls, not through the
// adapter that the tests are about.

#include <memory>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

#include "test/kafka/broker.h"

namespace kappa::test {
namespace {

constexpr int kTimeoutMs = 30'000;

struct Client {
  explicit Client(const std::string& bootstrap) {
    char error[512];
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "bootstrap.servers", bootstrap.c_str(), error, sizeof(error));
    handle = rd_kafka_new(RD_KAFKA_PRODUCER, settings, error, sizeof(error));
    INFO(error);
    REQUIRE(handle != nullptr);
    queue = rd_kafka_queue_new(handle);
  }
  ~Client() {
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(handle);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The answer to the call just made; fails the test unless it was about one topic and went well.
  void require_done() const {
    const std::unique_ptr<rd_kafka_event_t, void (*)(rd_kafka_event_t*)> event(
        rd_kafka_queue_poll(queue, kTimeoutMs), rd_kafka_event_destroy);
    REQUIRE(event != nullptr);
    INFO(rd_kafka_event_error_string(event.get()));
    REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
    size_t count = 0;
    const rd_kafka_topic_result_t** results = nullptr;
    if (const auto* created = rd_kafka_event_CreateTopics_result(event.get())) {
      results = rd_kafka_CreateTopics_result_topics(created, &count);
    } else if (const auto* deleted = rd_kafka_event_DeleteTopics_result(event.get())) {
      results = rd_kafka_DeleteTopics_result_topics(deleted, &count);
    }
    REQUIRE(count == 1);
    INFO(rd_kafka_err2str(rd_kafka_topic_result_error(results[0])));
    REQUIRE(rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  rd_kafka_t* handle;
  rd_kafka_queue_t* queue;
};

}  // namespace

void create_topic(const std::string& bootstrap, const std::string& topic, int partitions,
                  const TopicSettings& settings) {
  const Client client(bootstrap);
  char error[512];
  rd_kafka_NewTopic_t* wanted =
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, error, sizeof(error));
  REQUIRE(wanted != nullptr);
  for (const auto& [name, value] : settings) {
    rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str());
  }
  rd_kafka_CreateTopics(client.handle, &wanted, 1, nullptr, client.queue);
  rd_kafka_NewTopic_destroy(wanted);
  client.require_done();
}

void delete_topic(const std::string& bootstrap, const std::string& topic) {
  const Client client(bootstrap);
  rd_kafka_DeleteTopic_t* unwanted = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_DeleteTopics(client.handle, &unwanted, 1, nullptr, client.queue);
  rd_kafka_DeleteTopic_destroy(unwanted);
  client.require_done();
}

}  // namespace kappa::test
