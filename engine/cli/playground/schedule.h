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
enum Topic : int { kSales, kClicks, kStock, kCustomers, kConsents, kPosts, kSensors };
inline constexpr std::array kTopics = {kSales,    kClicks, kStock,  kCustomers,
                                       kConsents, kPosts,  kSensors};
inline constexpr std::array<const char*, kTopics.size()> kTopicNames = {
    "sales", "clicks", "stock", "customers", "consents", "posts", "sensors"};
// Sales and clicks are the shopping that a rate counts. One record of the other topics comes beside
// every kShoppingPerOther of them.
inline constexpr int64_t kShoppingPerOther = 8;
constexpr bool is_shopping(Topic topic) {
  return topic <= kClicks;
}

// A value for each partition of each topic.
using ByPartition = std::array<std::array<int64_t, kPartitions>, kTopics.size()>;

// When each record of the shop arrives. The records of a run are dealt to the partitions in turn,
// shopping and the rest each at an even rate; a later run goes on at the ends it finds, from the
// time it starts. So the log with this schedule is a function of the seed.
//
// Kept in a file beside the log. One thread changes it; any may read it afterwards.
class Schedule {
 public:
  // As the file says, or an empty one of `seed` if there is none. FailedPrecondition: the file has
  // another seed. DataLoss: it is damaged.
  static absl::StatusOr<Schedule> open(const std::string& path, uint64_t seed);

  uint64_t seed() const { return seed_; }
  // Begins a run at `start`, whose first records have the offsets `from`; written to the file.
  // `rate` is in sales and clicks a second, 1 to 1,000,000.
  absl::Status begin_run(EventTime start, int64_t rate, const ByPartition& from);

  EventTime arrival(Topic topic, int32_t partition, int64_t offset) const;
  // One past the last record of the present run that has arrived by `now`, by partition, if the run
  // is to have `shopping_max` sales and clicks.
  ByPartition due(EventTime now, int64_t shopping_max) const;

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
