#include "engine/log/kafka/access_probe.h"

#include <chrono>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/admin.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr int kTimeoutMs = 10'000;
constexpr int kLookMs = 100;
constexpr char kTooLongMs[] = "2000000000";  // weeks; near 2^31 librdkafka overflows

using Topic = std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)>;
using Message = std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)>;

// The outcome of the one record in flight.
void note_delivery(const rd_kafka_message_t& message) {
  *static_cast<int*>(message._private) = message.err;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AccessProbe>> AccessProbe::make(const std::string& brokers,
                                                               const KafkaSettings& settings) {
  Client::Options client;
  client.brokers = brokers;
  client.settings = settings;
  // A client tells whether the configuration will do.
  KAPPA_RETURN_IF_ERROR(Client::make(client).status());
  return std::unique_ptr<AccessProbe>(new AccessProbe(std::move(client)));
}

absl::Status AccessProbe::read(const std::string& topic) {
  constexpr int32_t kPartition = 0;  // rights are a topic's
  KAPPA_RETURN_IF_ERROR(topics_.check({topic, kPartition}));
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_.first());
  const Topic handle(rd_kafka_topic_new(client->get(), topic.c_str(), nullptr),
                     &rd_kafka_topic_destroy);
  if (rd_kafka_consume_start(handle.get(), kPartition, RD_KAFKA_OFFSET_END) != 0) {
    return kafka_status(rd_kafka_last_error(), absl::StrCat("topic ", topic));
  }
  absl::Status found = absl::UnavailableError(absl::StrCat("topic ", topic, ": no answer"));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
  while (std::chrono::steady_clock::now() < give_up) {
    const Message message(rd_kafka_consume(handle.get(), kPartition, kLookMs),
                          &rd_kafka_message_destroy);
    if (!message || is_passing(message->err)) continue;
    const bool fetched = !message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    found = fetched ? absl::OkStatus() : kafka_status(message->err, absl::StrCat("topic ", topic));
    break;
  }
  rd_kafka_consume_stop(handle.get(), kPartition);
  return found;
}

absl::Status AccessProbe::write(const std::string& topic) {
  KAPPA_RETURN_IF_ERROR(topics_.topic(topic).status());
  Client::Options options = client_;
  options.role = KafkaRole::kProbe;
  options.on_delivery = &note_delivery;
  options.settings.emplace_back("message.timeout.ms", absl::StrCat(kTimeoutMs));
  KAPPA_ASSIGN_OR_RETURN(const auto client, Client::make(std::move(options)));
  int outcome = RD_KAFKA_RESP_ERR__TIMED_OUT;
  const rd_kafka_resp_err_t taken = rd_kafka_producev(
      client->get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
      RD_KAFKA_V_KEY("kappa doctor", 12), RD_KAFKA_V_OPAQUE(&outcome), RD_KAFKA_V_END);
  if (taken) return kafka_status(taken, absl::StrCat("topic ", topic));
  rd_kafka_flush(client->get(), kTimeoutMs + 1000);
  if (outcome == RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS) return absl::OkStatus();
  return kafka_status(outcome, absl::StrCat("topic ", topic));
}

absl::Status AccessProbe::create(const std::string& topic) {
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_.first());
  return validate_kafka_topic(*client, topic);
}

absl::Status AccessProbe::transactions(const std::string& transactional_id) {
  Client::Options options = client_;
  options.role = KafkaRole::kProducer;
  options.settings.emplace_back("transactional.id", transactional_id);
  options.settings.emplace_back("transaction.timeout.ms", kTooLongMs);
  KAPPA_ASSIGN_OR_RETURN(const auto client, Client::make(std::move(options)));
  rd_kafka_error_t* error = rd_kafka_init_transactions(client->get(), kTimeoutMs);
  if (!error) return absl::OkStatus();
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (code == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) return absl::OkStatus();
  return kafka_status(code, absl::StrCat("transactional id ", transactional_id));
}

}  // namespace kappa::log
