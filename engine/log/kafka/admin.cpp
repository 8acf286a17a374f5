#include "engine/log/kafka/admin.h"

#include <functional>
#include <memory>
#include <optional>

#include <librdkafka/rdkafka.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/log/kafka/errors.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr int kTimeoutMs = 10'000;
constexpr size_t kWhyBytes = 512;

using Event = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;
using Queue = std::unique_ptr<rd_kafka_queue_t, decltype(&rd_kafka_queue_destroy)>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)>;

constexpr int32_t kController = -1;

// Sends a request of the Admin API to a broker and waits for its result.
absl::StatusOr<Event> ask(
    rd_kafka_t* client, rd_kafka_admin_op_t operation, int32_t broker, const std::string& what,
    const std::function<void(rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send) {
  const Queue queue(rd_kafka_queue_new(client), &rd_kafka_queue_destroy);
  const Options options(rd_kafka_AdminOptions_new(client, operation),
                        &rd_kafka_AdminOptions_destroy);
  char why[kWhyBytes];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, why, sizeof(why));
  if (broker != kController) {
    rd_kafka_AdminOptions_set_broker(options.get(), broker, why, sizeof(why));
  }
  send(options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kTimeoutMs + 1000), &rd_kafka_event_destroy);
  if (!event) return absl::UnavailableError(absl::StrCat(what, ": no broker answers"));
  if (const rd_kafka_resp_err_t error = rd_kafka_event_error(event.get())) {
    return kafka_status(error, what);
  }
  return event;
}

enum class Making : uint8_t { kMake, kValidate };

absl::Status make_topic(const Client& client, const std::string& name, int32_t partitions,
                        std::optional<int32_t> replicas, const KafkaSettings& settings,
                        Making making) {
  char why[kWhyBytes];
  constexpr int kReplicasAsConfigured = -1;
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(
      name.c_str(), partitions, replicas.value_or(kReplicasAsConfigured), why, sizeof(why));
  if (!topic) return absl::InvalidArgumentError(absl::StrCat("topic ", name, ": ", why));
  const std::unique_ptr<rd_kafka_NewTopic_t, decltype(&rd_kafka_NewTopic_destroy)> owner(
      topic, &rd_kafka_NewTopic_destroy);
  for (const auto& [setting, value] : settings) {
    rd_kafka_NewTopic_set_config(topic, setting.c_str(), value.c_str());
  }
  KAPPA_ASSIGN_OR_RETURN(
      const Event event,
      ask(client.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, kController, absl::StrCat("topic ", name),
          [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
            if (making == Making::kValidate) {
              rd_kafka_AdminOptions_set_validate_only(options, 1, why, sizeof(why));
            }
            rd_kafka_CreateTopics(client.get(), &topic, 1, options, queue);
          }));
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  if (count == 0) return absl::InternalError(absl::StrCat("topic ", name, ": no result"));
  const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[0]);
  if (!error) return absl::OkStatus();
  const char* said = rd_kafka_topic_result_error_string(results[0]);
  return kafka_status(error,
                      absl::StrCat("topic ", name, said ? absl::StrCat(" (", said, ")") : ""));
}

std::optional<int64_t> limit_of(const std::string& text) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 0) return std::nullopt;
  return value;
}

}  // namespace

absl::Status create_kafka_topic(const Client& client, const std::string& name,
                                const TopicConfig& config) {
  const auto limit = [](std::optional<int64_t> value) {
    constexpr int64_t kForEver = -1;
    return absl::StrCat(value.value_or(kForEver));
  };
  KafkaSettings settings = {{"retention.ms", limit(config.retention_ms)},
                            {"retention.bytes", limit(config.retention_bytes)}};
  if (config.compacted) {
    settings.emplace_back("cleanup.policy", *config.compacted ? "compact" : "delete");
  }
  return create_kafka_topic(client, name, config.partitions, config.replication, settings);
}

absl::Status create_kafka_topic(const Client& client, const std::string& name, int32_t partitions,
                                std::optional<int32_t> replicas, const KafkaSettings& settings) {
  return make_topic(client, name, partitions, replicas, settings, Making::kMake);
}

absl::Status validate_kafka_topic(const Client& client, const std::string& name) {
  const absl::Status said = make_topic(client, name, 1, {}, {}, Making::kValidate);
  return absl::IsAlreadyExists(said) ? absl::OkStatus() : said;
}

absl::StatusOr<int32_t> count_partitions(const Client& client, const std::string& topic) {
  const std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)> handle(
      rd_kafka_topic_new(client.get(), topic.c_str(), nullptr), &rd_kafka_topic_destroy);
  const struct rd_kafka_metadata* found = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client.get(), 0, handle.get(), &found, kTimeoutMs);
  const std::string what = absl::StrCat("topic ", topic);
  if (error) return kafka_status(error, what);
  const std::unique_ptr<const struct rd_kafka_metadata, decltype(&rd_kafka_metadata_destroy)>
      metadata(found, &rd_kafka_metadata_destroy);
  if (metadata->topic_cnt != 1) return absl::NotFoundError(what);
  const rd_kafka_metadata_topic& there = metadata->topics[0];
  if (is_unknown_topic(there.err)) return absl::NotFoundError(what);
  if (there.err) return kafka_status(there.err, what);
  return there.partition_cnt;
}

absl::StatusOr<std::map<std::string, std::string>> read_topic_settings(const Client& client,
                                                                       int32_t broker,
                                                                       const std::string& name) {
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str());
  const std::unique_ptr<rd_kafka_ConfigResource_t, decltype(&rd_kafka_ConfigResource_destroy)>
      owner(resource, &rd_kafka_ConfigResource_destroy);
  const auto event =
      ask(client.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, broker, absl::StrCat("topic ", name),
          [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
            rd_kafka_DescribeConfigs(client.get(), &resource, 1, options, queue);
          });
  std::map<std::string, std::string> settings;
  if (absl::IsUnavailable(event.status())) return event.status();
  if (!event.ok()) return settings;
  size_t count = 0;
  const rd_kafka_ConfigResource_t** results = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  for (size_t i = 0; i < count; ++i) {
    if (rd_kafka_ConfigResource_error(results[i])) continue;
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t** all = rd_kafka_ConfigResource_configs(results[i], &entries);
    for (size_t e = 0; e < entries; ++e) {
      const char* value = rd_kafka_ConfigEntry_value(all[e]);
      if (value) settings[rd_kafka_ConfigEntry_name(all[e])] = value;
    }
  }
  return settings;
}

absl::Status read_cleanup(const Client& client, int32_t broker, const std::string& name,
                          TopicConfig* config) {
  KAPPA_ASSIGN_OR_RETURN(const auto settings, read_topic_settings(client, broker, name));
  const auto policy = settings.find("cleanup.policy");
  if (policy != settings.end()) {
    config->compacted = absl::StrContains(policy->second, "compact");
    // Limits are for topics that are deleted from.
    if (!absl::StrContains(policy->second, "delete")) return absl::OkStatus();
  }
  const auto take = [&](const char* setting, std::optional<int64_t>* limit) {
    const auto found = settings.find(setting);
    if (found != settings.end()) *limit = limit_of(found->second);
  };
  take("retention.ms", &config->retention_ms);
  take("retention.bytes", &config->retention_bytes);
  return absl::OkStatus();
}

}  // namespace kappa::log
