#include "bench/kafka_yardstick.h"

#include <algorithm>
#include <memory>

#include <librdkafka/rdkafka.h>

#include "bench/plain_bids.h"

namespace kappa::bench {
namespace {

// What correctness and speed ask for; the same as the engine's own consumers have.
constexpr const char* kSettings[][2] = {
    {"isolation.level", "read_committed"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
    {"check.crcs", "true"},
    {"socket.nagle.disable", "true"},
    {"fetch.wait.max.ms", "100"},
    {"max.partition.fetch.bytes", "4194304"},
    {"fetch.max.bytes", "67108864"},
    {"queued.min.messages", "1000000"},
    {"queued.max.messages.kbytes", "65536"},
};

struct Reading {
  PlainBids bids{BidTime::kText};
  std::vector<bool> done;  // by partition
  size_t open = 0;
  std::string error;

  static void on_message(rd_kafka_message_t* message, void* opaque) {
    auto& reading = *static_cast<Reading*>(opaque);
    const auto partition = static_cast<size_t>(message->partition);
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (!reading.done[partition]) --reading.open;
      reading.done[partition] = true;
      return;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      reading.error = rd_kafka_message_errstr(message);
      return;
    }
    reading.bids.take({static_cast<const char*>(message->payload), message->len});
  }
};

}  // namespace

absl::StatusOr<Result> run_yardstick(const std::string& brokers, const std::string& topic,
                                     const std::vector<Offset>& ends, int64_t records) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char why[512];
  rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), why, sizeof(why));
  for (const auto& [name, value] : kSettings) {
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK) continue;
    rd_kafka_conf_destroy(conf);
    return absl::InternalError(why);
  }
  const std::unique_ptr<rd_kafka_t, void (*)(rd_kafka_t*)> client(
      rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why)), rd_kafka_destroy);
  if (!client) return absl::InternalError(why);
  const std::unique_ptr<rd_kafka_topic_t, void (*)(rd_kafka_topic_t*)> source(
      rd_kafka_topic_new(client.get(), topic.c_str(), nullptr), rd_kafka_topic_destroy);
  const std::unique_ptr<rd_kafka_queue_t, void (*)(rd_kafka_queue_t*)> queue(
      rd_kafka_queue_new(client.get()), rd_kafka_queue_destroy);

  Reading reading;
  reading.done.resize(ends.size());
  reading.open = ends.size();
  Result result;
  const Stopwatch stopwatch;
  for (size_t p = 0; p < ends.size(); ++p) {
    rd_kafka_consume_start_queue(source.get(), static_cast<int32_t>(p), RD_KAFKA_OFFSET_BEGINNING,
                                 queue.get());
  }
  while (reading.open > 0 && reading.error.empty()) {
    rd_kafka_consume_callback_queue(queue.get(), 1000, &Reading::on_message, &reading);
  }
  stopwatch.stop(&result);
  for (size_t p = 0; p < ends.size(); ++p) {
    rd_kafka_consume_stop(source.get(), static_cast<int32_t>(p));
  }
  if (!reading.error.empty()) return absl::InternalError(reading.error);
  const PlainBids& bids = reading.bids;
  result.records = bids.records;
  result.bytes_per_record =
      static_cast<double>(bids.bytes) / static_cast<double>(std::max<int64_t>(records, 1));
  result.checked = bids.broken == 0 && bids.records == records && bids.sum > 0;
  return result;
}

}  // namespace kappa::bench
