#include "test/kafka/upstream.h"

#include <memory>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

namespace kappa::test {
namespace {

constexpr int kTimeoutMs = 30'000;
using Client = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;
using Queue = std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)>;
using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

rd_kafka_t* producer(const std::string& bootstrap, const std::string& transactional_id = "") {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), why, sizeof(why));
  if (!transactional_id.empty()) {
    rd_kafka_conf_set(conf, "transactional.id", transactional_id.c_str(), why, sizeof(why));
  }
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
  REQUIRE(handle != nullptr);
  return handle;
}

void require_ok(rd_kafka_error_t* error) {
  if (!error) return;
  const std::string what = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  FAIL(what);
}

Event result_in(rd_kafka_queue_t* queue) {
  Event event(rd_kafka_queue_poll(queue, kTimeoutMs), &rd_kafka_event_destroy);
  REQUIRE(event != nullptr);
  INFO(rd_kafka_event_error_string(event.get()));
  REQUIRE(rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  return event;
}

}  // namespace

void delete_records(const std::string& bootstrap, const std::string& topic, int partition,
                    int64_t offset) {
  const Client client(producer(bootstrap), &rd_kafka_destroy);
  const Queue queue(rd_kafka_queue_new(client.get()), &rd_kafka_queue_destroy);
  rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(offsets, topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(offsets);
  rd_kafka_topic_partition_list_destroy(offsets);
  rd_kafka_DeleteRecords(client.get(), &request, 1, nullptr, queue.get());
  rd_kafka_DeleteRecords_destroy(request);
  const Event event = result_in(queue.get());
  const rd_kafka_topic_partition_list_t* done =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  REQUIRE(done->cnt == 1);
  REQUIRE(done->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void add_partitions(const std::string& bootstrap, const std::string& topic, int partitions) {
  const Client client(producer(bootstrap), &rd_kafka_destroy);
  const Queue queue(rd_kafka_queue_new(client.get()), &rd_kafka_queue_destroy);
  char why[512];
  rd_kafka_NewPartitions_t* request =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(partitions), why, sizeof(why));
  REQUIRE(request != nullptr);
  rd_kafka_CreatePartitions(client.get(), &request, 1, nullptr, queue.get());
  rd_kafka_NewPartitions_destroy(request);
  const Event event = result_in(queue.get());
  size_t count = 0;
  const rd_kafka_topic_result_t** results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  REQUIRE(count == 1);
  REQUIRE(rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void append_with_headers(const std::string& bootstrap, const std::string& topic,
                         const NullableHeaders& headers) {
  const Client client(producer(bootstrap), &rd_kafka_destroy);
  rd_kafka_headers_t* made = rd_kafka_headers_new(headers.size());
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(made, name.data(), static_cast<ssize_t>(name.size()),
                        value ? value->data() : nullptr,
                        value ? static_cast<ssize_t>(value->size()) : 0);
  }
  rd_kafka_vu_t arguments[4] = {};
  arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  arguments[0].u.cstr = topic.c_str();
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[2].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[2].u.headers = made;
  arguments[3].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  arguments[3].u.i64 = 1000;
  require_ok(rd_kafka_produceva(client.get(), arguments, 4));
  REQUIRE(rd_kafka_flush(client.get(), kTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

int64_t committed_offset(const std::string& bootstrap, const std::string& group,
                         const std::string& topic, int partition) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap.c_str(), why, sizeof(why));
  rd_kafka_conf_set(conf, "group.id", group.c_str(), why, sizeof(why));
  const Client client(rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why)), &rd_kafka_destroy);
  REQUIRE(client != nullptr);
  rd_kafka_topic_partition_list_t* offsets = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(offsets, topic.c_str(), partition);
  rd_kafka_committed(client.get(), offsets, kTimeoutMs);
  const int64_t offset = offsets->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(offsets);
  return offset < 0 ? -1 : offset;
}

TransactionalProducer::TransactionalProducer(const std::string& bootstrap,
                                             const std::string& transactional_id)
    : handle_(producer(bootstrap, transactional_id)) {
  require_ok(rd_kafka_init_transactions(handle_, kTimeoutMs));
}

TransactionalProducer::~TransactionalProducer() {
  rd_kafka_destroy(handle_);
}

void TransactionalProducer::begin() {
  require_ok(rd_kafka_begin_transaction(handle_));
}

void TransactionalProducer::produce(const std::string& topic, int partition,
                                    const std::vector<std::string>& values, int64_t timestamp_ms) {
  for (const std::string& value : values) {
    // The macros take integers of C's types, whose casts g++ would warn of.
    rd_kafka_vu_t arguments[5] = {};
    arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    arguments[0].u.cstr = topic.c_str();
    arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    arguments[1].u.i32 = partition;
    arguments[2].vtype = RD_KAFKA_VTYPE_VALUE;
    arguments[2].u.mem.ptr = const_cast<char*>(value.data());
    arguments[2].u.mem.size = value.size();
    arguments[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[3].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    arguments[4].u.i64 = timestamp_ms;
    require_ok(rd_kafka_produceva(handle_, arguments, 5));
  }
  REQUIRE(rd_kafka_flush(handle_, kTimeoutMs) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void TransactionalProducer::commit() {
  require_ok(rd_kafka_commit_transaction(handle_, kTimeoutMs));
}

void TransactionalProducer::abort() {
  require_ok(rd_kafka_abort_transaction(handle_, kTimeoutMs));
}

}  // namespace kappa::test
