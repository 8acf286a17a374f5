#include "engine/log/kafka/kafka_outbox.h"

#include <atomic>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/client.h"
#include "engine/log/kafka/outbox_place.h"
#include "engine/log/kafka/outbox_producer.h"
#include "engine/types/failpoint.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

uint64_t draw_number() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

class KafkaOutbox final : public OutboxPublisher {
 public:
  explicit KafkaOutbox(KafkaOutboxOptions options)
      : options_(std::move(options)),
        control_(outbox_control_topic(options_.product)),
        owner_(draw_number()) {
    client_.brokers = options_.brokers;
    client_.settings = options_.settings;
    client_.log_line = options_.log_line;
  }

  absl::Status recover(const OutboxHistory& history) override;
  absl::Status publish(std::span<const OutboxRecord> records) override;
  OutboxMark mark() const override { return {published_to_, {}}; }
  uint64_t transaction_aborts() const override { return aborts_; }
  void close() override { closed_ = true; }

 private:
  std::string whose() const { return absl::StrCat("the outbox of product ", options_.product); }
  absl::Status make_producer();
  absl::Status ensure_producer();
  absl::Status read_own_place();
  absl::Status check_history(const std::optional<OutboxPlace>& place,
                             const OutboxHistory& history) const;
  // One transaction: the records, and that everything below `end` is published.
  absl::Status commit(std::span<const OutboxRecord> records, uint64_t end);
  absl::Status send(std::span<const OutboxRecord> records, uint64_t end);

  const KafkaOutboxOptions options_;
  const std::string control_;
  const uint64_t owner_;
  Client::Options client_;
  uint64_t journal_id_ = 0;
  std::unique_ptr<OutboxProducer> producer_;
  std::atomic<uint64_t> published_to_{0};
  std::atomic<uint64_t> aborts_{0};
  std::atomic<bool> closed_{false};
};

absl::Status KafkaOutbox::make_producer() {
  const std::string id = options_.transactions ? absl::StrCat("kappa.", options_.product) : "";
  KAPPA_ASSIGN_OR_RETURN(auto producer, OutboxProducer::make(client_, id));
  KAPPA_RETURN_IF_ERROR(producer->init());
  producer_ = std::move(producer);
  return absl::OkStatus();
}

absl::Status KafkaOutbox::recover(const OutboxHistory& history) {
  journal_id_ = history.journal_id;
  KAPPA_RETURN_IF_ERROR(make_producer());
  KAPPA_RETURN_IF_ERROR(ensure_control_topic(producer_->client(), control_));
  KAPPA_ASSIGN_OR_RETURN(const std::optional<OutboxPlace> place,
                         read_outbox_place(client_, options_.product));
  KAPPA_RETURN_IF_ERROR(check_history(place, history));
  published_to_ = place ? place->published_to : 0;
  // From here on the place has our name.
  return commit({}, published_to_);
}

absl::Status KafkaOutbox::check_history(const std::optional<OutboxPlace>& place,
                                        const OutboxHistory& history) const {
  // Whoever made the checkpoint had written a place first.
  if (!place && history.mark) {
    return absl::DataLossError(
        absl::StrCat("topic ", control_, " no longer says how far ", whose(),
                     " is published; records would be published again. Its last known place is ",
                     history.mark->published_to,
                     ": write it back, or start the product in a new data directory"));
  }
  if (!place) return absl::OkStatus();
  if (place->journal_id != history.journal_id && place->published_to > 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        whose(), " is published to ", place->published_to,
        " from another data directory than this one, says topic ", control_,
        "; go on with that directory, or, if it is gone, delete the topic and what it published"));
  }
  if (history.mark && place->published_to < history.mark->published_to) {
    return absl::DataLossError(absl::StrCat("topic ", control_, " says that ", whose(),
                                            " is published to ", place->published_to,
                                            "; it had got to ", history.mark->published_to));
  }
  return absl::OkStatus();
}

// Reads how far publishing has got, and that it is still ours.
absl::Status KafkaOutbox::read_own_place() {
  KAPPA_ASSIGN_OR_RETURN(const std::optional<OutboxPlace> place,
                         read_outbox_place(client_, options_.product));
  if (!place) {
    return absl::DataLossError(
        absl::StrCat("topic ", control_, " no longer says how far ", whose(), " is published"));
  }
  if (place->owner != owner_) {
    return absl::FailedPreconditionError(
        absl::StrCat("another process has taken over ", whose(),
                     ": this one publishes no more (two of them with copies of one data directory, "
                     "or with one product's name?)"));
  }
  published_to_ = place->published_to;
  return absl::OkStatus();
}

absl::Status KafkaOutbox::ensure_producer() {
  if (producer_) return absl::OkStatus();
  // First, so as not to put another one off: initialising does that.
  KAPPA_RETURN_IF_ERROR(read_own_place());
  KAPPA_RETURN_IF_ERROR(make_producer());
  const absl::Status ours = read_own_place();
  if (!ours.ok()) producer_.reset();
  return ours;
}

absl::Status KafkaOutbox::publish(std::span<const OutboxRecord> records) {
  if (closed_) return absl::UnavailableError(absl::StrCat(whose(), " is closed"));
  KAPPA_RETURN_IF_ERROR(ensure_producer());
  while (!records.empty() && records.front().sequence < published_to_) records = records.subspan(1);
  if (records.empty()) return absl::OkStatus();
  return commit(records, records.back().sequence + 1);
}

absl::Status KafkaOutbox::commit(std::span<const OutboxRecord> records, uint64_t end) {
  const absl::Status sent = send(records, end);
  if (sent.ok()) {
    published_to_ = end;
    return sent;
  }
  producer_.reset();
  if (options_.transactions) ++aborts_;
  if (options_.log_line) options_.log_line(absl::StrCat(whose(), ": ", sent.message()));
  return absl::Status(sent.code(), absl::StrCat(whose(), ": ", sent.message()));
}

absl::Status KafkaOutbox::send(std::span<const OutboxRecord> records, uint64_t end) {
  fail_here_if_asked("outbox.before_begin");
  KAPPA_RETURN_IF_ERROR(producer_->begin());
  for (const OutboxRecord& record : records) {
    KAPPA_RETURN_IF_ERROR(producer_->produce(record, makes_compacted(record.topic)));
  }
  fail_here_if_asked("outbox.produced");
  // Without a transaction, the place must not be there before the records.
  if (!options_.transactions) KAPPA_RETURN_IF_ERROR(producer_->flush());
  OutboxRecord place;
  place.topic = control_;
  place.timestamp = records.empty() ? LogTime{0} : records.back().timestamp;
  place.key = options_.product;
  place.value = encode(OutboxPlace{end, journal_id_, owner_});
  KAPPA_RETURN_IF_ERROR(producer_->produce(place, /*compacted=*/true));
  KAPPA_RETURN_IF_ERROR(producer_->flush());
  fail_here_if_asked("outbox.before_commit");
  KAPPA_RETURN_IF_ERROR(producer_->commit());
  fail_here_if_asked("outbox.committed");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutboxPublisher>> make_kafka_outbox(KafkaOutboxOptions options) {
  // Faulty settings are told at once.
  Client::Options trial;
  trial.brokers = options.brokers;
  trial.settings = options.settings;
  KAPPA_RETURN_IF_ERROR(Client::make(std::move(trial)).status());
  return std::make_unique<KafkaOutbox>(std::move(options));
}

}  // namespace kappa::log
