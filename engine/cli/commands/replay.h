#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/connection.h"
#include "engine/cli/replay/course_options.h"
#include "engine/cli/terminal.h"
#include "engine/serve/generations.h"

namespace kappa::cli {

// What every `kappa replay` command takes.
struct ReplayTarget {
  ConnectOptions connect;
  std::string product;      // empty: the only one
  uint32_t generation = 0;  // 0: the only one that is replaying or ready
  OutputFormat output = OutputFormat::kTable;
};

// --max-cpu, --max-rate and --max-memory.
struct BudgetOptions {
  std::optional<double> cpu_cores_max;
  std::optional<double> records_per_second_max;
  std::optional<uint64_t> memory_mib_max;

  // `present`, with what was given in its place.
  serve::ReplayBudget over(serve::ReplayBudget present) const;
  bool given() const { return cpu_cores_max || records_per_second_max || memory_mib_max; }
};

struct ReplayStartOptions {
  ReplayTarget target;
  std::string directory;
  BudgetOptions budget;
  CourseOptions course;
  bool wait = false;
};
// `kappa replay start DIR`: recomputes the product with the files in its directory, beside what is
// live. With `wait` until the new generation is ready; kExitError if it fails.
int run_replay_start(const ReplayStartOptions& options);

struct ReplayStatusOptions {
  ReplayTarget target;
  bool watch = false;
};
// `kappa replay status`: the generations. With `watch` until none is replaying: a table that is
// redrawn on a terminal, else one at the end; a JSON object a second.
int run_replay_status(const ReplayStatusOptions& options);

struct ReplayResumeOptions {
  ReplayTarget target;
  BudgetOptions budget;
};
int run_replay_pause(const ReplayTarget& target);
int run_replay_resume(const ReplayResumeOptions& options);
int run_replay_cancel(const ReplayTarget& target);

// How long a comparison or a swap may take, in seconds.
inline constexpr int64_t kDeadlineS = 600;

struct ReplayDiffOptions {
  ReplayTarget target;
  int64_t deadline_s = kDeadlineS;
  int samples = 3;  // of each kind of difference
  std::vector<std::string> require_equal;
};
// `kappa replay diff`: in what the views of a generation differ from the live ones. kExitOk: in
// nothing, or in none of those that must be equal; kExitChanges; kExitError.
int run_replay_diff(const ReplayDiffOptions& options);

struct ReplaySwapOptions {
  ReplayTarget target;
  int64_t deadline_s = kDeadlineS;
  std::vector<std::string> require_equal;
  bool keep_following = false;
  bool yes = false;
};
// `kappa replay swap` and `kappa replay rollback`: another generation becomes the live one. They
// ask; with nobody to ask and no `yes` they do nothing and return kExitUsage.
int run_replay_swap(const ReplaySwapOptions& options);
int run_replay_rollback(const ReplaySwapOptions& options);

struct ReplayGcOptions {
  ReplayTarget target;
  uint32_t keep = 1;
  bool yes = false;
};
// `kappa replay gc`: removes retired generations.
int run_replay_gc(const ReplayGcOptions& options);

serve::ReplayRequest replay_request(const std::map<std::string, std::string>& files,
                                    const BudgetOptions& budget, const CourseOptions& course);

// Opens a way to the server that replays are in; `command` as in "kappa replay status".
absl::StatusOr<std::unique_ptr<Connection>> open_server(ConnectOptions connect,
                                                        const std::string& command);
// What a swap did, on standard output.
void print_swap(const serve::SwapReport& report, OutputFormat output);

}  // namespace kappa::cli
