#include "engine/log/embedded/follower_log.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/log/embedded/followed_partition.h"
#include "engine/log/embedded/partition_reader.h"
#include "engine/log/embedded/topic_file.h"
#include "engine/types/status_macros.h"

namespace kappa::log {

absl::StatusOr<std::unique_ptr<EmbeddedLog>> FollowerLog::open(const std::string& directory,
                                                               const EmbeddedLogOptions& options) {
  std::unique_ptr<FollowerLog> log(new FollowerLog(directory, options));
  KAPPA_RETURN_IF_ERROR(log->find_new_topics());
  return log;
}

absl::Status FollowerLog::find_new_topics() const {
  KAPPA_ASSIGN_OR_RETURN(const std::vector<std::string> names, list_directory(directory_));
  for (const std::string& name : names) {
    if (!validate_topic_name(name).ok() || topics_.find_if_there(name) != nullptr) continue;
    const absl::StatusOr<TopicConfig> config = read_topic(directory_, name);
    if (absl::IsNotFound(config.status())) continue;  // no topic of ours
    KAPPA_RETURN_IF_ERROR(config.status());
    auto topic = std::make_unique<TopicMap::Topic>();
    topic->info = {.name = name, .config = *config};
    for (int32_t i = 0; i < config->partitions; ++i) {
      const TopicPartition id{.topic = name, .partition = i};
      topic->partitions.push_back(
          std::make_unique<FollowedPartition>(id, partition_directory(directory_, id)));
    }
    topics_.add(std::move(topic));
  }
  return absl::OkStatus();
}

absl::StatusOr<TopicMap::Topic*> FollowerLog::find(const std::string& topic) const {
  if (topics_.find_if_there(topic) == nullptr) KAPPA_RETURN_IF_ERROR(find_new_topics());
  return topics_.find(topic);
}

// The partition, with everything visible that there is now.
absl::StatusOr<Partition*> FollowerLog::find_fresh(const TopicPartition& partition) const {
  KAPPA_RETURN_IF_ERROR(find(partition.topic).status());
  KAPPA_ASSIGN_OR_RETURN(Partition* const found, topics_.find(partition));
  KAPPA_RETURN_IF_ERROR(found->refresh().status());
  return found;
}

absl::StatusOr<std::vector<TopicInfo>> FollowerLog::topics() const {
  KAPPA_RETURN_IF_ERROR(find_new_topics());
  std::vector<TopicInfo> infos;
  for (const TopicMap::Topic* topic : topics_.all()) infos.push_back(topic->info);
  return infos;
}

absl::StatusOr<TopicInfo> FollowerLog::topic(const std::string& name) const {
  KAPPA_ASSIGN_OR_RETURN(const TopicMap::Topic* const topic, find(name));
  return topic->info;
}

absl::StatusOr<PartitionRange> FollowerLog::range(const TopicPartition& partition) const {
  KAPPA_ASSIGN_OR_RETURN(const Partition* const found, find_fresh(partition));
  return found->range();
}

absl::StatusOr<Offset> FollowerLog::offset_for_time(const TopicPartition& partition,
                                                    LogTime time) const {
  KAPPA_ASSIGN_OR_RETURN(const Partition* const found, find_fresh(partition));
  return found->offset_for_time(time);
}

absl::StatusOr<std::unique_ptr<LogReader>> FollowerLog::open_reader(const TopicPartition& partition,
                                                                    Offset from) const {
  KAPPA_ASSIGN_OR_RETURN(Partition* const found, find_fresh(partition));
  return std::make_unique<PartitionReader>(found, from);
}

std::shared_ptr<void> FollowerLog::on_append(std::function<void()> callback) {
  const std::lock_guard lock(thread_mutex_);
  if (!follow_thread_) {
    follow_thread_.emplace(std::chrono::milliseconds(options_.follow_interval_ms),
                           [this] { look_for_appends(); });
  }
  return listeners_.add(std::move(callback));
}

void FollowerLog::look_for_appends() {
  if (listeners_.empty()) return;
  // An error here is one that the callback's own look at the log will meet.
  bool more = !find_new_topics().ok();
  for (const TopicMap::Topic* topic : topics_.all()) {
    for (const std::unique_ptr<Partition>& partition : topic->partitions) {
      more |= partition->refresh().value_or(true);
    }
  }
  if (more) listeners_.notify();
}

absl::Status FollowerLog::refuse(const char* what) const {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot ", what, ": the log in ", directory_, " is open for reading only"));
}

absl::Status FollowerLog::create_topic(const std::string& name, const TopicConfig& /*config*/) {
  return refuse(absl::StrCat("create topic ", name).c_str());
}

absl::StatusOr<std::vector<AppendedAt>> FollowerLog::append(
    const std::string& topic, std::span<const RecordToAppend> /*records*/) {
  return refuse(absl::StrCat("append to topic ", topic).c_str());
}

absl::Status FollowerLog::sync() {
  return refuse("sync");
}
absl::Status FollowerLog::enforce_retention() {
  return refuse("enforce retention");
}

}  // namespace kappa::log
