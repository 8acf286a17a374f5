#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/log/append_listeners.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/embedded/periodic_thread.h"
#include "engine/log/embedded/topic_map.h"

namespace kappa::log {

// The log as those have it that only read: everything is found in the files, again and again.
class FollowerLog final : public EmbeddedLog {
 public:
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> open(const std::string& directory,
                                                           const EmbeddedLogOptions& options);

  absl::StatusOr<std::vector<TopicInfo>> topics() const override;
  absl::StatusOr<TopicInfo> topic(const std::string& name) const override;
  absl::StatusOr<PartitionRange> range(const TopicPartition& partition) const override;
  absl::StatusOr<Offset> offset_for_time(const TopicPartition& partition,
                                         LogTime time) const override;
  absl::StatusOr<std::unique_ptr<LogReader>> open_reader(const TopicPartition& partition,
                                                         Offset from) const override;
  std::shared_ptr<void> on_append(std::function<void()> callback) override;
  const std::vector<CutTail>& cut_tails() const override { return none_cut_; }

  // A reader changes nothing: FailedPrecondition.
  absl::Status create_topic(const std::string& name, const TopicConfig& config) override;
  absl::StatusOr<std::vector<AppendedAt>> append(const std::string& topic,
                                                 std::span<const RecordToAppend> records) override;
  absl::Status sync() override;
  absl::Status enforce_retention() override;

 private:
  FollowerLog(std::string directory, const EmbeddedLogOptions& options)
      : directory_(std::move(directory)), options_(options) {}

  absl::Status find_new_topics() const;
  absl::StatusOr<TopicMap::Topic*> find(const std::string& topic) const;
  absl::StatusOr<Partition*> find_fresh(const TopicPartition& partition) const;
  absl::Status refuse(const char* what) const;
  void look_for_appends();

  const std::string directory_;
  const EmbeddedLogOptions options_;
  mutable TopicMap topics_;
  const std::vector<CutTail> none_cut_;
  AppendListeners listeners_;
  std::mutex thread_mutex_;
  std::optional<PeriodicThread> follow_thread_;  // last: it uses what is above
};

}  // namespace kappa::log
