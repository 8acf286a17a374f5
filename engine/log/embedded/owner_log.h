#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/log/append_listeners.h"
#include "engine/log/embedded/directory_lock.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/embedded/owned_partition.h"
#include "engine/log/embedded/periodic_thread.h"
#include "engine/log/embedded/sync_rounds.h"
#include "engine/log/embedded/topic_map.h"

namespace kappa::log {

// The log as the one process has it that appends.
class OwnerLog final : public EmbeddedLog {
 public:
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> open(const std::string& directory,
                                                           const EmbeddedLogOptions& options);

  absl::StatusOr<std::vector<TopicInfo>> topics() const override;
  absl::StatusOr<TopicInfo> topic(const std::string& name) const override;
  absl::Status create_topic(const std::string& name, const TopicConfig& config) override;
  absl::StatusOr<PartitionRange> range(const TopicPartition& partition) const override;
  absl::StatusOr<Offset> offset_for_time(const TopicPartition& partition,
                                         LogTime time) const override;
  absl::StatusOr<std::unique_ptr<LogReader>> open_reader(const TopicPartition& partition,
                                                         Offset from) const override;
  absl::StatusOr<std::vector<AppendedAt>> append(const std::string& topic,
                                                 std::span<const RecordToAppend> records) override;
  absl::Status sync() override { return sync_rounds_.join(); }
  std::shared_ptr<void> on_append(std::function<void()> callback) override {
    return listeners_.add(std::move(callback));
  }
  absl::Status enforce_retention() override;
  const std::vector<CutTail>& cut_tails() const override { return cut_tails_; }

 private:
  OwnerLog(std::string directory, const EmbeddedLogOptions& options, DirectoryLock lock);

  absl::Status recover();
  absl::Status open_topic(const std::string& name, const TopicConfig& config);
  absl::Status sync_all();
  void start_retention_thread_if_needed(const TopicConfig& config);

  const std::string directory_;
  const EmbeddedLogOptions options_;
  const Clock& clock_;
  DirectoryLock lock_;
  TopicMap topics_;
  std::vector<CutTail> cut_tails_;
  AppendListeners listeners_;
  SyncRounds sync_rounds_;
  const uint64_t seed_;

  std::mutex create_mutex_;
  std::mutex retention_mutex_;
  // Last, so that they end before what they use.
  std::optional<PeriodicThread> sync_thread_;
  std::optional<PeriodicThread> retention_thread_;  // guarded by create_mutex_
};

}  // namespace kappa::log
