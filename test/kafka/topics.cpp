// Topics of test brokers are made and deleted through librdkafka's admin calls, not through the
// adapter that the tests are about.

#include <chrono>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

#include "test/kafka/broker.h"

namespace kappa::test {
namespace {

constexpr int kTimeoutMs = 30'000;
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kDecidedPatience{20};

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

// Tells where partitions end, for readers of one isolation level.
class Consumer {
 public:
  Consumer(const std::string& bootstrap, const char* isolation_level) {
    char error[512];
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "bootstrap.servers", bootstrap.c_str(), error, sizeof(error));
    rd_kafka_conf_set(settings, "isolation.level", isolation_level, error, sizeof(error));
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, settings, error, sizeof(error));
    INFO(error);
    REQUIRE(handle_ != nullptr);
  }
  ~Consumer() { rd_kafka_destroy(handle_); }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // Of every partition, in their order; empty if there is no such topic.
  std::vector<int64_t> ends(const std::string& topic) const {
    rd_kafka_topic_t* wanted = rd_kafka_topic_new(handle_, topic.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    REQUIRE(rd_kafka_metadata(handle_, 0, wanted, &metadata, kTimeoutMs) ==
            RD_KAFKA_RESP_ERR_NO_ERROR);
    const int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(wanted);
    std::vector<int64_t> ends(static_cast<size_t>(partitions));
    for (int p = 0; p < partitions; ++p) {
      int64_t start = 0;
      REQUIRE(rd_kafka_query_watermark_offsets(handle_, topic.c_str(), p, &start,
                                               &ends[static_cast<size_t>(p)],
                                               kTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return ends;
  }

 private:
  rd_kafka_t* handle_;
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

void await_decided(const std::string& bootstrap, const std::string& topic) {
  const Consumer all(bootstrap, "read_uncommitted");
  const Consumer committed(bootstrap, "read_committed");
  const auto deadline = std::chrono::steady_clock::now() + kDecidedPatience;
  while (all.ends(topic) != committed.ends(topic) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace kappa::test
