#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kappa::replay {

// Records a second, if so many were applied in so much time; 0: too few to tell.
double rate_of(uint64_t records, double seconds);

// What is known of how fast a replay will be, in records a second. 0: not known.
struct KnownRates {
  double last_replay = 0;  // that the product's last replay reached
  double live = 0;         // of the live generation while it is busy
  double budget = 0;       // that it may reach; 0: no limit
};

// How long a replay will take, about. Nothing is made up: what is not known is not there.
struct TimeEstimate {
  enum class From : uint8_t { kNothing, kLastReplay, kLive, kBudget } from = From::kNothing;
  double records_per_second = 0;
  std::optional<double> seconds;
};
TimeEstimate estimate_time(int64_t records, const KnownRates& rates);

// What a replay will keep on disk, about: as much as the live generation, whose views are of the
// same kind.
struct DiskEstimate {
  std::optional<uint64_t> bytes;       // nullopt: the directory cannot be read
  std::optional<uint64_t> free_bytes;  // of the file system that it would be on

  bool fits() const { return !bytes || !free_bytes || *bytes <= *free_bytes; }
};
// Of the live generation's directory. Files that come and go meanwhile are counted or not.
DiskEstimate estimate_disk(const std::string& generation_path);

}  // namespace kappa::replay
