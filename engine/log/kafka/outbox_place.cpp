#include "engine/log/kafka/outbox_place.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include <librdkafka/rdkafka.h>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/log/kafka/admin.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr int kTimeoutMs = 10'000;
// The place is the last record but for markers and what was aborted behind it.
constexpr int64_t kLookBackFirst = 64;
constexpr int64_t kLookBackFactor = 32;
constexpr char kControlSuffix[] = ".kappa-outbox";

std::string hex(uint64_t number) {
  return absl::StrCat(absl::Hex(number, absl::kZeroPad16));
}

// The last record with a key; `there`: it has a value.
struct Found {
  bool there = false;
  std::string value;
};

// One look at a partition's end.
class EndReader {
 public:
  EndReader(const Client& client, const std::string& topic) : client_(client.get()), name_(topic) {
    topic_ = rd_kafka_topic_new(client_, topic.c_str(), nullptr);
  }
  ~EndReader() { rd_kafka_topic_destroy(topic_); }
  EndReader(const EndReader&) = delete;
  EndReader& operator=(const EndReader&) = delete;

  absl::StatusOr<Found> last_value(const std::string& key) {
    int64_t start = 0;
    int64_t end = 0;
    const rd_kafka_resp_err_t error =
        rd_kafka_query_watermark_offsets(client_, name_.c_str(), 0, &start, &end, kTimeoutMs);
    if (error) return unavailable(error);
    for (int64_t back = kLookBackFirst;; back *= kLookBackFactor) {
      const int64_t from = std::max(start, end - back);
      KAPPA_ASSIGN_OR_RETURN(Found found, read_from(from, key));
      if (found.there || from == start) return found;
    }
  }

 private:
  // Even if it is an unknown topic: a broker that has just come back may not know it yet, and that
  // must not be taken for a place that is gone.
  absl::Status unavailable(int error) const {
    const absl::Status status = kafka_status(error, absl::StrCat("topic ", name_));
    return is_refused(status) ? status : absl::UnavailableError(status.message());
  }

  // The value of the last record with the key from an offset on.
  absl::StatusOr<Found> read_from(int64_t from, const std::string& key) {
    if (rd_kafka_consume_start(topic_, 0, from) != 0) {
      return unavailable(rd_kafka_last_error());
    }
    auto last = read_to_end(key);
    rd_kafka_consume_stop(topic_, 0);
    return last;
  }

  absl::StatusOr<Found> read_to_end(const std::string& key) {
    Found last;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
    while (std::chrono::steady_clock::now() < deadline) {
      const std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> message(
          rd_kafka_consume(topic_, 0, 100), &rd_kafka_message_destroy);
      if (!message) continue;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return last;
      if (message->err && !is_passing(message->err)) {
        return unavailable(message->err);
      }
      if (message->err) continue;
      const std::string_view found(static_cast<const char*>(message->key), message->key_len);
      if (found != key) continue;
      last.there = message->payload != nullptr;  // else a tombstone: there is no place any more
      if (last.there) last.value.assign(static_cast<char*>(message->payload), message->len);
    }
    return absl::UnavailableError(
        absl::StrCat("topic ", name_, ": its end was not reached within ", kTimeoutMs, " ms"));
  }

  rd_kafka_t* client_;
  std::string name_;
  rd_kafka_topic_t* topic_;
};

bool read_hex(const nlohmann::json& json, const char* name, uint64_t* number) {
  const auto field = json.find(name);
  return field != json.end() && field->is_string() &&
         absl::SimpleHexAtoi(field->get<std::string>(), number);
}

}  // namespace

std::string encode(const OutboxPlace& place) {
  nlohmann::ordered_json json;
  json["published_to"] = place.published_to;
  json["journal"] = hex(place.journal_id);
  json["owner"] = hex(place.owner);
  return json.dump();
}

absl::StatusOr<OutboxPlace> decode_outbox_place(std::string_view value) {
  const nlohmann::json json = nlohmann::json::parse(value, nullptr, /*allow_exceptions=*/false);
  OutboxPlace place;
  const bool good = json.is_object() && json.contains("published_to") &&
                    json["published_to"].is_number_unsigned() &&
                    read_hex(json, "journal", &place.journal_id) &&
                    read_hex(json, "owner", &place.owner);
  if (!good) {
    return absl::DataLossError(
        absl::StrCat("this is no place of an outbox: ", std::string(value.substr(0, 200))));
  }
  place.published_to = json["published_to"].get<uint64_t>();
  return place;
}

std::string outbox_control_topic(const std::string& product) {
  return absl::StrCat(product, kControlSuffix);
}

bool is_outbox_control_topic(std::string_view topic) {
  return topic.ends_with(kControlSuffix);
}

namespace {

// OK if the brokers do not tell.
absl::Status check_control_topic(const Client& client, const std::string& topic) {
  KAPPA_ASSIGN_OR_RETURN(const auto settings, read_topic_settings(client, kAnyBroker, topic));
  const auto policy = settings.find("cleanup.policy");
  if (policy == settings.end() || policy->second == "compact") return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "topic ", topic, " holds how far the outbox is published, and has cleanup.policy=",
      policy->second, ", so that retention would delete it: set cleanup.policy=compact"));
}

}  // namespace

absl::Status ensure_control_topic(const Client& client, const std::string& topic) {
  // Only closed segments are compacted; by default one is closed after a week.
  const absl::Status made = create_kafka_topic(client, topic, 1, {},
                                               {{"cleanup.policy", "compact"},
                                                {"segment.ms", "3600000"},
                                                {"min.cleanable.dirty.ratio", "0.1"}});
  if (absl::IsAlreadyExists(made)) return check_control_topic(client, topic);
  // Who may not make a topic is refused before the brokers look whether it is there.
  if (absl::IsPermissionDenied(made) && count_partitions(client, topic).ok()) {
    return check_control_topic(client, topic);
  }
  return made;
}

absl::StatusOr<std::optional<OutboxPlace>> read_outbox_place(const Client::Options& consumer,
                                                             const std::string& product) {
  KAPPA_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::make(consumer));
  const std::string topic = outbox_control_topic(product);
  EndReader reader(*client, topic);
  KAPPA_ASSIGN_OR_RETURN(const Found last, reader.last_value(product));
  if (!last.there) return std::nullopt;
  absl::StatusOr<OutboxPlace> place = decode_outbox_place(last.value);
  if (!place.ok()) {
    return absl::DataLossError(absl::StrCat("topic ", topic, ": ", place.status().message()));
  }
  return std::optional<OutboxPlace>(*place);
}

}  // namespace kappa::log
