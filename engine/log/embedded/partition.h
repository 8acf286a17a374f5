#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/log/embedded/segment.h"
#include "engine/log/log.h"

namespace kappa::log {

// A partition as its readers see it: segments in offset order without gaps. Thread-safe; lives as
// long as its log. Whether records come from this process (OwnedPartition) or from another
// (FollowedPartition) is the subclass's matter.
class Partition {
 public:
  // Where reading an offset begins: at `position` of `segment` there is a batch that starts with
  // `offset`, which is not greater than the offset looked for.
  struct Place {
    std::shared_ptr<const Segment> segment;
    int64_t position = 0;
    Offset offset;
  };

  Partition(TopicPartition id, std::string directory)
      : id_(std::move(id)), directory_(std::move(directory)) {}
  virtual ~Partition() = default;
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  const TopicPartition& id() const { return id_; }
  const std::string& directory() const { return directory_; }
  Offset start() const { return Offset{start_.load(std::memory_order_acquire)}; }
  Offset end() const { return Offset{end_.load(std::memory_order_acquire)}; }
  PartitionRange range() const;

  // Looks for what others have appended; true if something new is visible.
  virtual absl::StatusOr<bool> refresh() { return false; }

  // For start <= offset < end. DataLoss: the offset lies before the start.
  absl::StatusOr<Place> locate(Offset offset) const;
  // The segment that follows; nullptr: none yet, or none any more.
  std::shared_ptr<const Segment> segment_after(const Segment& segment) const;
  absl::StatusOr<Offset> offset_for_time(LogTime time) const;

  // "topic t partition 0", for messages.
  std::string name() const;
  absl::Status removed_by_retention(Offset offset) const;
  absl::Status damaged(const std::string& path, int64_t position, Offset offset,
                       absl::string_view what) const;

 protected:
  std::mutex& mutex() const { return mutex_; }
  // With the mutex held.
  std::vector<std::shared_ptr<Segment>>& segments() { return segments_; }
  void set_start(Offset offset) { start_.store(offset.value, std::memory_order_release); }
  void set_end(Offset offset) { end_.store(offset.value, std::memory_order_release); }
  void set_durable_end(Offset offset) {
    durable_end_.store(offset.value, std::memory_order_release);
  }

 private:
  absl::StatusOr<Offset> offset_for_time_in(const Segment& segment, const SegmentIndex& index,
                                            LogTime time, Offset otherwise) const;

  const TopicPartition id_;
  const std::string directory_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_;
  std::atomic<int64_t> start_{0};
  std::atomic<int64_t> durable_end_{0};
  std::atomic<int64_t> end_{0};
};

}  // namespace kappa::log
