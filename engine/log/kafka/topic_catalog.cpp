#include "engine/log/kafka/topic_catalog.h"

#include <memory>
#include <thread>

#include <librdkafka/rdkafka.h>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/admin.h"
#include "engine/log/kafka/errors.h"
#include "engine/log/kafka/outbox_place.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr int kTimeoutMs = 5000;
constexpr int kIdentityMs = 200;  // it is asked for again, and meanwhile others may say why not
constexpr std::chrono::seconds kTopicLasts{1};
constexpr std::chrono::seconds kConfigLasts{60};

using Topic = std::unique_ptr<rd_kafka_topic_t, decltype(&rd_kafka_topic_destroy)>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, void (*)(const rd_kafka_metadata_t*)>;

// Of one topic; of all with an empty name.
absl::StatusOr<Metadata> metadata_of(rd_kafka_t* client, const std::string& name) {
  Topic topic(name.empty() ? nullptr : rd_kafka_topic_new(client, name.c_str(), nullptr),
              [](rd_kafka_topic_t* t) { rd_kafka_topic_destroy(t); });
  const rd_kafka_metadata_t* found = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client, name.empty() ? 1 : 0, topic.get(), &found, kTimeoutMs);
  if (error) {
    return kafka_status(error,
                        name.empty() ? "the topics of the cluster" : absl::StrCat("topic ", name));
  }
  return Metadata(found, &rd_kafka_metadata_destroy);
}

std::string describe(const TopicConfig& config) {
  const auto limit = [](const std::optional<int64_t>& value, const char* unit) {
    return value ? absl::StrCat(*value, unit) : std::string("none");
  };
  return absl::StrCat(config.partitions, " partitions, retention ",
                      limit(config.retention_ms, " ms"), " and ",
                      limit(config.retention_bytes, " bytes"),
                      config.compacted.value_or(false) ? ", compacted" : "");
}

bool same(const TopicConfig& a, const TopicConfig& b) {
  return a.partitions == b.partitions && a.retention_ms == b.retention_ms &&
         a.retention_bytes == b.retention_bytes &&
         a.compacted.value_or(false) == b.compacted.value_or(false);
}

}  // namespace

absl::StatusOr<TopicCatalog::Counted> TopicCatalog::partitions_of(const std::string& name) {
  KAPPA_RETURN_IF_ERROR(validate_topic_name(name));
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_->first());
  KAPPA_ASSIGN_OR_RETURN(const Metadata metadata, metadata_of(client->get(), name));
  if (metadata->topic_cnt != 1) {
    return absl::NotFoundError(absl::StrCat("there is no topic ", name));
  }
  const rd_kafka_metadata_topic_t& topic = metadata->topics[0];
  if (is_unknown_topic(topic.err)) {
    return absl::NotFoundError(absl::StrCat("there is no topic ", name));
  }
  if (topic.err) return kafka_status(topic.err, absl::StrCat("topic ", name));
  const int32_t broker = metadata->broker_cnt > 0 ? metadata->brokers[0].id : -1;
  return Counted{topic.partition_cnt, broker};
}

absl::StatusOr<TopicInfo> TopicCatalog::look_up(const std::string& name, bool with_config) {
  KAPPA_ASSIGN_OR_RETURN(const Counted counted, partitions_of(name));
  TopicConfig config;
  config.partitions = counted.partitions;
  if (with_config) {
    KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_->first());
    KAPPA_RETURN_IF_ERROR(read_cleanup(*client, counted.broker, name, &config));
  }
  return TopicInfo{name, config};
}

absl::StatusOr<TopicInfo> TopicCatalog::topic(const std::string& name) {
  const Clock::time_point now = Clock::now();
  bool with_config = true;
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known != known_.end()) {
      if (now - known->second.looked_up < kTopicLasts) return known->second.info;
      with_config = now - known->second.config_looked_up > kConfigLasts;
    }
  }
  absl::StatusOr<TopicInfo> found = look_up(name, with_config);
  const std::lock_guard lock(mutex_);
  if (!found.ok()) {
    if (absl::IsNotFound(found.status())) known_.erase(name);
    return found;
  }
  Known& known = known_[name];
  if (!with_config) {
    const int32_t partitions = found->config.partitions;
    found->config = known.info.config;
    found->config.partitions = partitions;
  } else {
    known.config_looked_up = now;
  }
  known.info = *found;
  known.looked_up = now;
  return found;
}

absl::StatusOr<std::vector<TopicInfo>> TopicCatalog::topics() {
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_->first());
  std::vector<std::string> names;
  {
    KAPPA_ASSIGN_OR_RETURN(const Metadata metadata, metadata_of(client->get(), ""));
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const std::string name = metadata->topics[i].topic;
      if (!name.starts_with("__") && metadata->topics[i].err == 0) names.push_back(name);
    }
  }
  std::vector<TopicInfo> infos;
  for (const std::string& name : names) {
    absl::StatusOr<TopicInfo> info = topic(name);
    if (absl::IsNotFound(info.status())) continue;  // removed in between
    KAPPA_RETURN_IF_ERROR(info.status());
    infos.push_back(*std::move(info));
  }
  return infos;
}

absl::Status TopicCatalog::check(const TopicPartition& partition) {
  KAPPA_ASSIGN_OR_RETURN(const TopicInfo info, topic(partition.topic));
  if (partition.partition >= 0 && partition.partition < info.config.partitions) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("topic ", partition.topic, " has no partition ",
                                          partition.partition, "; it has ",
                                          info.config.partitions));
}

absl::Status TopicCatalog::create(const std::string& name, const TopicConfig& config) {
  KAPPA_RETURN_IF_ERROR(validate_topic_name(name));
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_->first());
  // However it is asked for, an outbox's place must not be deleted by retention.
  if (is_outbox_control_topic(name)) {
    KAPPA_RETURN_IF_ERROR(ensure_control_topic(*client, name));
    return wait_for(name);
  }
  const absl::Status created = create_kafka_topic(*client, name, config);
  if (created.ok()) return wait_for(name);
  if (!absl::IsAlreadyExists(created)) return created;
  KAPPA_ASSIGN_OR_RETURN(const TopicInfo there, look_up(name, true));
  if (same(there.config, config)) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat("topic ", name, " is there already, with ",
                                               describe(there.config), ", not ", describe(config)));
}

// The controller has made it; the brokers learn of it a moment later, and elect leaders.
absl::Status TopicCatalog::wait_for(const std::string& name) {
  constexpr std::chrono::milliseconds kPause{20};
  const Clock::time_point give_up = Clock::now() + std::chrono::milliseconds(kTimeoutMs);
  while (true) {
    const absl::Status there = partitions_of(name).status();
    const bool soon = absl::IsNotFound(there) || absl::IsUnavailable(there);
    if (!soon || Clock::now() >= give_up) return there;
    std::this_thread::sleep_for(kPause);
  }
}

absl::StatusOr<std::string> TopicCatalog::cluster_id() {
  KAPPA_ASSIGN_OR_RETURN(Client * client, consumers_->first());
  char* id = rd_kafka_clusterid(client->get(), kIdentityMs);
  if (!id) {
    KAPPA_RETURN_IF_ERROR(client->refusal());
    const std::string trouble = client->trouble();
    return absl::UnavailableError(
        absl::StrCat("no broker answers", trouble.empty() ? "" : absl::StrCat(": ", trouble)));
  }
  std::string copied = id;
  rd_kafka_mem_free(client->get(), id);
  return copied;
}

std::vector<std::string> TopicCatalog::grown(const std::vector<std::string>& topics) {
  std::vector<std::string> grown;
  for (const std::string& name : topics) {
    const absl::StatusOr<Counted> counted = partitions_of(name);
    if (!counted.ok()) continue;
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known == known_.end()) continue;
    int32_t& partitions = known->second.info.config.partitions;
    if (counted->partitions > partitions) grown.push_back(name);
    partitions = counted->partitions;
  }
  return grown;
}

}  // namespace kappa::log
