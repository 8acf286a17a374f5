#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "engine/cli/connection.h"
#include "engine/cli/replay/course_options.h"
#include "replay/estimate.h"
#include "replay/logic_change.h"
#include "replay/replay_range.h"
#include "state/data_directory.h"

namespace kappa::cli {

// What the files in a product's directory would change in its live generation.
struct ChangePlan {
  std::string product;
  uint32_t generation = 0;         // the live one
  std::optional<uint32_t> made;    // of exactly these files, replaying or ready
  state::ReplayStart start;        // of a replay
  bool recompute_all = false;      // by it, instead of keeping views
  std::vector<std::string> files;  // that differ, whether or not that changes anything
  replay::LogicChange change;
  // The files change nothing, and the course that is asked for computes all again.
  bool again = false;
  std::vector<std::string> kept_views;  // they bring their state along; the others are computed
  // Why a replay would not start, and why there would be no way back to what is live, because of
  // what topics by key hold (replay/handover.h). Empty: it would, there is.
  std::string refused_because;
  std::string no_way_back_because;
  std::vector<replay::ReplayRange> ranges;  // of the log: what a replay reads
  // Of a replay, if there is one to be made.
  replay::TimeEstimate time;
  replay::DiskEstimate disk;

  int64_t records() const;
  // Whether a replay of the files has anything to do.
  bool has_replay() const { return again || !change.none(); }
};

// Reads the catalogue in the data directory, and asks whoever serves it, or the directory itself,
// for the log's ranges. `course` is the replay's, but for the gaps that it accepts: a plan tells
// all. `rate_max` is what it may reach, in records a second; 0: no limit. NotFound: the product
// does not run there yet; InvalidArgument: the files are faulty, or it would begin at a time that
// is still to come.
absl::StatusOr<ChangePlan> make_change_plan(const std::string& directory,
                                            const ConnectOptions& connect,
                                            const CourseOptions& course, double rate_max);

nlohmann::ordered_json to_json(const ChangePlan& plan);
// For people, on standard output.
void print_change_plan(const ChangePlan& plan);

}  // namespace kappa::cli
