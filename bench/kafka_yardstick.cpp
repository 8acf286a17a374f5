#include "bench/kafka_yardstick.h"

#include <cstring>
#include <memory>

#include <librdkafka/rdkafka.h>
#include <simdjson.h>

#include "absl/strings/str_cat.h"

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
  simdjson::ondemand::parser parser;
  std::vector<char> padded;
  std::vector<bool> done;  // by partition
  size_t open = 0;
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t sum = 0;  // of what was read, so that reading cannot be left out
  int64_t broken = 0;
  std::string error;

  bool take(std::string_view payload) {
    if (padded.size() < payload.size() + simdjson::SIMDJSON_PADDING) {
      padded.resize(2 * (payload.size() + simdjson::SIMDJSON_PADDING));
    }
    std::memcpy(padded.data(), payload.data(), payload.size());
    simdjson::ondemand::document bid;
    const simdjson::padded_string_view text(padded.data(), payload.size(), padded.size());
    int64_t auction = 0;
    int64_t bidder = 0;
    int64_t price = 0;
    std::string_view date_time;
    if (parser.iterate(text).get(bid) != simdjson::SUCCESS ||
        bid["auction"].get(auction) != simdjson::SUCCESS ||
        bid["bidder"].get(bidder) != simdjson::SUCCESS ||
        bid["price"].get(price) != simdjson::SUCCESS ||
        bid["dateTime"].get(date_time) != simdjson::SUCCESS) {
      return false;
    }
    sum += auction + bidder + price + static_cast<int64_t>(date_time.size());
    return true;
  }

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
    const std::string_view payload(static_cast<const char*>(message->payload), message->len);
    if (!reading.take(payload)) ++reading.broken;
    ++reading.records;
    reading.bytes += static_cast<int64_t>(payload.size());
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
  result.records = reading.records;
  result.bytes_per_record =
      static_cast<double>(reading.bytes) / static_cast<double>(std::max<int64_t>(records, 1));
  result.checked = reading.broken == 0 && reading.records == records && reading.sum > 0;
  return result;
}

}  // namespace kappa::bench
