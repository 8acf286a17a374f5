#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/log/batch_encoder.h"
#include "engine/log/embedded/partition.h"
#include "engine/log/embedded/recovery.h"

namespace kappa::log {

// A partition that this process appends to.
//
// An append is staged under the lock, then published or undone, so that a call over several
// partitions is all or nothing:
//
//   lock() ─► stage() ─┬─► publish()
//                      └─► undo()
class OwnedPartition final : public Partition {
 public:
  struct Settings {
    int64_t segment_bytes = 0;
    bool fsync = true;
  };

  // Recovers what the files hold; all of it is durable then.
  static absl::StatusOr<std::unique_ptr<OwnedPartition>> open(TopicPartition id,
                                                              std::string directory,
                                                              Settings settings,
                                                              bool machine_restarted,
                                                              std::optional<CutTail>* cut);

  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex()); }
  // With the lock held. Writes the batches behind the end, where nobody sees them yet.
  absl::Status stage(BatchEncoder* batches);
  // With the lock held. Makes the staged batches visible; returns the offset of the first record.
  Offset publish(const BatchEncoder& batches);
  // With the lock held. Takes staged bytes back.
  void undo();

  // Makes everything published before the call durable. One thread at a time.
  absl::Status sync();

  // Removes segments that are too old or too many. One thread at a time.
  absl::Status enforce_retention(const TopicConfig& config, LogTime now);

 private:
  OwnedPartition(TopicPartition id, std::string directory, Settings settings)
      : Partition(std::move(id), std::move(directory)), settings_(settings) {}

  // With the lock held:
  absl::Status open_active();
  absl::Status roll();
  bool should_roll_for_retention(const TopicConfig& config, LogTime now);
  std::vector<std::shared_ptr<Segment>> take_removable(const TopicConfig& config, LogTime now);

  const Settings settings_;
  // Guarded by the lock:
  std::shared_ptr<const File> active_;  // the last segment's file, once it has been appended to
  std::vector<std::shared_ptr<const File>> unsynced_;  // sealed segments that no sync has covered
  bool directory_unsynced_ = false;
  absl::Status failure_;  // why this partition takes nothing more until it is opened anew
};

}  // namespace kappa::log
