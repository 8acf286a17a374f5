#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/time.h"

namespace kappa::cli::playground {

inline constexpr int32_t kPartitions = 4;  // of each topic
enum Topic : int { kSales = 0, kClicks = 1 };
inline constexpr std::array<const char*, 2> kTopicNames = {"sales", "clicks"};

// A value for each partition of each topic.
using ByPartition = std::array<std::array<int64_t, kPartitions>, 2>;

// When each record of the shop arrives. The records of a run are dealt to the partitions in turn,
// at an even rate; a later run goes on at the ends it finds, from the time it starts. So the log
// with this schedule is a function of the seed.
//
// Kept in a file beside the log. One thread changes it; any may read it afterwards.
class Schedule {
 public:
  // As the file says, or an empty one of `seed` if there is none. FailedPrecondition: the file has
  // another seed. DataLoss: it is damaged.
  static absl::StatusOr<Schedule> open(const std::string& path, uint64_t seed);

  uint64_t seed() const { return seed_; }
  // Begins a run at `start`, whose first records have the offsets `from`; written to the file.
  // `rate` is in records a second, 1 to 1,000,000, over all topics.
  absl::Status begin_run(EventTime start, int64_t rate, const ByPartition& from);

  EventTime arrival(Topic topic, int32_t partition, int64_t offset) const;
  // One past the last record of the present run that has arrived by `now`, by partition, if the run
  // is to have `records_max` of them.
  ByPartition due(EventTime now, int64_t records_max) const;

 private:
  struct Run {
    EventTime start;
    int64_t rate;
    ByPartition from;
  };
  absl::Status read(const std::string& text);
  absl::Status write() const;

  std::string path_;
  uint64_t seed_ = 0;
  std::vector<Run> runs_;
};

}  // namespace kappa::cli::playground
