#include "engine/log/kafka/outbox_producer.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/admin.h"
#include "engine/log/kafka/errors.h"
#include "engine/log/log.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

// Long enough for a broker that hiccups, and no longer than readers may be held up by a transaction
// whose process is gone. A record that is not delivered by then fails before its transaction does.
constexpr char kTransactionTimeoutMs[] = "10000";
constexpr char kMessageTimeoutMs[] = "8000";
constexpr int kTimeoutMs = 10'000;
constexpr int kInitTimeoutMs = 30'000;
constexpr int kWaitMs = 100;

// What another producer cannot change either is said for good.
absl::Status with_fate(int error, const std::string& what) {
  const absl::Status status = kafka_status(error, what);
  switch (error) {
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
      return absl::FailedPreconditionError(absl::StrCat(
          status.message(), ": these brokers have no transactions; publish at least once instead"));
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return absl::FailedPreconditionError(
          absl::StrCat(status.message(), ": the brokers' transaction.max.timeout.ms is below ",
                       kTransactionTimeoutMs));
    default:
      break;
  }
  if (is_refused(status) || absl::IsInvalidArgument(status)) return status;
  return absl::UnavailableError(status.message());
}

// Takes the error over.
absl::Status outcome(rd_kafka_error_t* error, const std::string& what) {
  if (!error) return absl::OkStatus();
  const absl::Status status = with_fate(
      rd_kafka_error_code(error), absl::StrCat(what, " (", rd_kafka_error_string(error), ")"));
  rd_kafka_error_destroy(error);
  return status;
}

rd_kafka_headers_t* make_headers(const RecordHeaders& headers) {
  rd_kafka_headers_t* made = rd_kafka_headers_new(headers.size());
  for (const auto& [name, value] : headers) {
    rd_kafka_header_add(made, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return made;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutboxProducer>> OutboxProducer::make(
    const Client::Options& producer, const std::string& transactional_id) {
  Client::Options options = producer;
  options.role = KafkaRole::kProducer;
  options.on_delivery = &OutboxProducer::on_delivery;
  options.settings.emplace_back("message.timeout.ms", kMessageTimeoutMs);
  if (!transactional_id.empty()) {
    options.settings.emplace_back("transactional.id", transactional_id);
    options.settings.emplace_back("transaction.timeout.ms", kTransactionTimeoutMs);
  }
  std::unique_ptr<OutboxProducer> made(new OutboxProducer());
  made->transactional_ = !transactional_id.empty();
  KAPPA_ASSIGN_OR_RETURN(made->client_, Client::make(std::move(options)));
  return made;
}

OutboxProducer::~OutboxProducer() {
  if (!client_) return;
  rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void OutboxProducer::on_delivery(const rd_kafka_message_t& message) {
  auto* delivery = static_cast<Delivery*>(message._private);
  if (!message.err || delivery->error) return;
  delivery->error = message.err;
  delivery->topic = rd_kafka_topic_name(message.rkt);
}

absl::Status OutboxProducer::failure() const {
  if (!delivery_.error) return absl::OkStatus();
  return failed(delivery_.error, absl::StrCat("topic ", delivery_.topic,
                                              ": a record of the outbox is not delivered"));
}

// A transaction fails behind our back: what is called then tells only that it did, and asking for
// another one tells why.
absl::Status OutboxProducer::failed(int error, const std::string& what) const {
  const bool untold = error == RD_KAFKA_RESP_ERR__STATE ||
                      error == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                      error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
  if (untold && transactional_) {
    KAPPA_RETURN_IF_ERROR(outcome(rd_kafka_begin_transaction(client_->get()), what));
  }
  return with_fate(error, what);
}

absl::Status OutboxProducer::init() {
  if (!transactional_) return absl::OkStatus();
  return outcome(rd_kafka_init_transactions(client_->get(), kInitTimeoutMs), "init_transactions");
}

absl::Status OutboxProducer::begin() {
  if (!transactional_) return absl::OkStatus();
  return outcome(rd_kafka_begin_transaction(client_->get()), "begin_transaction");
}

absl::StatusOr<int32_t> OutboxProducer::partitions_of(const std::string& topic, bool compacted) {
  const auto known = partitions_.find(topic);
  if (known != partitions_.end()) return known->second;
  absl::StatusOr<int32_t> partitions = count_partitions(*client_, topic);
  if (absl::IsNotFound(partitions.status())) {
    TopicConfig config;
    if (compacted) config.compacted = true;
    const absl::Status made = create_kafka_topic(*client_, topic, config);
    if (is_refused(made) || absl::IsInvalidArgument(made)) return made;
    // It may be there by now, from an attempt that was not answered.
    if (!made.ok()) return absl::UnavailableError(made.message());
    partitions = config.partitions;
  }
  if (!partitions.ok() && !is_refused(partitions.status())) {
    return absl::UnavailableError(partitions.status().message());
  }
  if (partitions.ok()) partitions_[topic] = *partitions;
  return partitions;
}

absl::Status OutboxProducer::produce(const OutboxRecord& record, bool compacted) {
  KAPPA_ASSIGN_OR_RETURN(const int32_t partitions, partitions_of(record.topic, compacted));
  const int32_t partition =
      record.key ? partition_for_key(*record.key, partitions)
                 : static_cast<int32_t>(record.sequence % static_cast<uint64_t>(partitions));
  // To librdkafka 0 is the present; Kafka knows no time before 1970.
  const int64_t timestamp_ms = std::max<int64_t>(1, record.timestamp.ms);
  const auto bytes = [](const std::optional<std::string>& text) {
    return text ? const_cast<char*>(text->data()) : nullptr;  // NOLINT: it copies
  };
  const auto size = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  rd_kafka_headers_t* headers = make_headers(record.headers);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  do {
    error =
        rd_kafka_producev(client_->get(), RD_KAFKA_V_TOPIC(record.topic.c_str()),
                          RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(bytes(record.key), size(record.key)),
                          RD_KAFKA_V_VALUE(bytes(record.value), size(record.value)),
                          RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_HEADERS(headers),
                          RD_KAFKA_V_OPAQUE(&delivery_), RD_KAFKA_V_END);
    if (!error) return failure();
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) break;
    client_->poll(std::chrono::milliseconds(kWaitMs));
  } while (std::chrono::steady_clock::now() < deadline);
  rd_kafka_headers_destroy(headers);
  return failed(error, absl::StrCat("topic ", record.topic, ", outbox entry ", record.sequence));
}

absl::Status OutboxProducer::flush() {
  const rd_kafka_resp_err_t error = rd_kafka_flush(client_->get(), kTimeoutMs);
  KAPPA_RETURN_IF_ERROR(failure());
  return error ? with_fate(error, "flush") : absl::OkStatus();
}

absl::Status OutboxProducer::commit() {
  if (!transactional_) return absl::OkStatus();
  constexpr int kAsLongAsTheTransactionLasts = -1;
  const absl::Status committed =
      outcome(rd_kafka_commit_transaction(client_->get(), kAsLongAsTheTransactionLasts),
              "commit_transaction");
  return committed.ok() ? failure() : committed;
}

}  // namespace kappa::log
