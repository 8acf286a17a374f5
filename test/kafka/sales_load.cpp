#include "test/kafka/sales_load.h"

#include <chrono>
#include <memory>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/types/value.h"

namespace kappa::test {
namespace {

constexpr int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01
constexpr int kBatch = 6;
constexpr std::chrono::milliseconds kPause{10};
constexpr int kPatienceMs = 30'000;

}  // namespace

int64_t Sale::time_ms(int64_t n) {
  return kStartMs + n * 10;
}

std::string Sale::json(int64_t n) {
  return absl::StrCat(R"({"card":")", card(n), R"(","n":)", n, R"(,"amount":)", amount(n),
                      R"(,"ts":")", to_text(Value::timestamptz(time_ms(n) * 1000)), "\"}");
}

void SalesLoad::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void SalesLoad::run() {
  char why[512] = "";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap_.c_str(), why, sizeof(why));
  rd_kafka_conf_set(conf, "enable.idempotence", "true", why, sizeof(why));
  const std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> producer(
      rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why)), &rd_kafka_destroy);
  if (!producer) {
    failure_ = why;
    return;
  }
  while (!stop_ && failure_.empty()) {
    const int64_t end = sent_ + kBatch;
    for (int64_t n = sent_; n < end; ++n) {
      std::string json = Sale::json(n);
      const rd_kafka_resp_err_t error = rd_kafka_producev(
          producer.get(), RD_KAFKA_V_TOPIC(topic_.c_str()),
          RD_KAFKA_V_PARTITION(Sale::partition(n)), RD_KAFKA_V_VALUE(json.data(), json.size()),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (error != RD_KAFKA_RESP_ERR_NO_ERROR) failure_ = rd_kafka_err2str(error);
    }
    if (rd_kafka_flush(producer.get(), kPatienceMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      failure_ = "the broker has not taken sales in time";
    }
    if (failure_.empty()) sent_ = end;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace kappa::test
