#include "engine/log/embedded/topic_map.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr size_t kTopicsNamedMax = 10;

}  // namespace

TopicMap::Topic& TopicMap::add(std::unique_ptr<Topic> topic) {
  const std::unique_lock lock(mutex_);
  std::string name = topic->info.name;
  return *topics_.try_emplace(std::move(name), std::move(topic)).first->second;
}

TopicMap::Topic* TopicMap::find_if_there(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

absl::StatusOr<TopicMap::Topic*> TopicMap::find(const std::string& name) const {
  if (Topic* const topic = find_if_there(name)) return topic;
  std::string message = absl::StrCat("there is no topic \"", name, "\"; ");
  const std::vector<Topic*> others = all();
  if (others.empty()) return absl::NotFoundError(message + "the log has none yet");
  absl::StrAppend(&message, "the log has ");
  for (size_t i = 0; i < others.size() && i < kTopicsNamedMax; ++i) {
    absl::StrAppend(&message, i == 0 ? "" : ", ", others[i]->info.name);
  }
  if (others.size() > kTopicsNamedMax) {
    absl::StrAppend(&message, " and ", others.size() - kTopicsNamedMax, " more");
  }
  return absl::NotFoundError(message);
}

absl::StatusOr<Partition*> TopicMap::find(const TopicPartition& partition) const {
  KAPPA_ASSIGN_OR_RETURN(Topic* const topic, find(partition.topic));
  const auto index = static_cast<size_t>(partition.partition);
  if (partition.partition < 0 || index >= topic->partitions.size()) {
    return no_such_partition(topic->info, partition.partition);
  }
  return topic->partitions[index].get();
}

std::vector<TopicMap::Topic*> TopicMap::all() const {
  const std::shared_lock lock(mutex_);
  std::vector<Topic*> topics;
  for (const auto& [name, topic] : topics_) topics.push_back(topic.get());
  return topics;
}

absl::Status no_such_partition(const TopicInfo& topic, int32_t partition) {
  return absl::NotFoundError(absl::StrCat("topic ", topic.name, " has no partition ", partition,
                                          "; it has 0 to ", topic.config.partitions - 1));
}

}  // namespace kappa::log
