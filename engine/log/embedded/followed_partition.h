#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/log/embedded/partition.h"

namespace kappa::log {

// A partition that an owner, most likely in another process, appends to. What is visible is what
// has been found in the files so far: whole batches, checked.
class FollowedPartition final : public Partition {
 public:
  FollowedPartition(TopicPartition id, std::string directory)
      : Partition(std::move(id), std::move(directory)) {}

  // DataLoss: damaged bytes with good records behind them, or a gap between segments.
  absl::StatusOr<bool> refresh() override;

 private:
  // With the lock held. NotFound: retention has removed a file since it was listed.
  absl::Status follow(const std::vector<Offset>& bases);
  void drop_removed(const std::vector<Offset>& bases);
  absl::Status finish_last(Offset next_base);
  absl::Status extend_last();
  absl::Status judge_stop(const WalkEnd& stop);
  absl::StatusOr<WalkEnd> walk_on();

  std::optional<File> last_;  // the last segment's file, once it has been read
};

}  // namespace kappa::log
