#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "engine/cli/connection.h"
#include "replay/estimate.h"
#include "replay/logic_change.h"
#include "replay/replay_range.h"

namespace kappa::cli {

// What the files in a product's directory would change in its live generation.
struct ChangePlan {
  std::string product;
  uint32_t generation = 0;         // the live one
  std::optional<uint32_t> made;    // of exactly these files, replaying or ready
  std::vector<std::string> files;  // that differ, whether or not that changes anything
  replay::LogicChange change;
  std::vector<std::string> kept_views;  // they bring their state along; the others are computed
  // Why a replay would not start, and why there would be no way back to what is live, because of
  // what topics by key hold (replay/handover.h). Empty: it would, there is.
  std::string refused_because;
  std::string no_way_back_because;
  std::vector<replay::ReplayRange> ranges;  // of the log: what a replay reads
  // Of a replay, if anything changes.
  replay::TimeEstimate time;
  replay::DiskEstimate disk;

  int64_t records() const;
};

// Reads the catalogue in the data directory, and asks whoever serves it, or the directory itself,
// for the log's ranges. `rate_max` is what a replay may reach, in records a second; 0: no limit.
// NotFound: the product does not run there yet; InvalidArgument: the files are faulty.
absl::StatusOr<ChangePlan> make_change_plan(const std::string& directory,
                                            const ConnectOptions& connect, double rate_max);

nlohmann::ordered_json to_json(const ChangePlan& plan);
// For people, on standard output.
void print_change_plan(const ChangePlan& plan);

}  // namespace kappa::cli
