#include "replay/estimate.h"

#include <filesystem>
#include <system_error>

namespace kappa::replay {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRecordsToTell = 1000;

std::optional<uint64_t> bytes_below(const std::string& directory) {
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error);
  if (error) return std::nullopt;
  uint64_t bytes = 0;
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code gone;
    const bool is_file = at->is_regular_file(gone);
    const uintmax_t size = is_file ? at->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace

double rate_of(uint64_t records, double seconds) {
  if (records < kRecordsToTell || seconds <= 0) return 0;
  return static_cast<double>(records) / seconds;
}

TimeEstimate estimate_time(int64_t records, const KnownRates& rates) {
  using From = TimeEstimate::From;
  TimeEstimate estimate;
  if (rates.last_replay > 0) {
    estimate = {From::kLastReplay, rates.last_replay, {}};
  } else if (rates.live > 0) {
    estimate = {From::kLive, rates.live, {}};
  }
  const bool unknown = estimate.from == From::kNothing;
  if (rates.budget > 0 && (unknown || rates.budget < estimate.records_per_second)) {
    estimate = {From::kBudget, rates.budget, {}};
  }
  if (estimate.from != From::kNothing) {
    estimate.seconds = static_cast<double>(records) / estimate.records_per_second;
  } else if (records == 0) {
    estimate.seconds = 0;
  }
  return estimate;
}

DiskEstimate estimate_disk(const std::string& generation_path) {
  DiskEstimate estimate;
  estimate.bytes = bytes_below(generation_path);
  std::error_code error;
  const fs::space_info space = fs::space(generation_path, error);
  if (!error) estimate.free_bytes = space.available;
  return estimate;
}

}  // namespace kappa::replay
