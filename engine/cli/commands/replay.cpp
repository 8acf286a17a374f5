#include "engine/cli/commands/replay.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/product_files.h"
#include "engine/cli/replay/follow.h"
#include "engine/cli/replay/generation_text.h"
#include "engine/cli/value_json.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using serve::GenerationStatus;

constexpr std::chrono::seconds kWatchInterval{1};

std::string json_line(const std::vector<GenerationStatus>& generations, bool one_line) {
  Json json;
  json["generations"] = Json::array();
  for (const GenerationStatus& one : generations) json["generations"].push_back(to_json(one));
  return json_text(json, one_line);
}

// Generations that still replay.
bool any_replays(const std::vector<GenerationStatus>& generations) {
  return std::any_of(generations.begin(), generations.end(), [](const GenerationStatus& one) {
    return one.state == state::GenerationState::kReplaying && one.failure.ok();
  });
}

// Shows the generations at each look of a watch, the last one included.
class Watch {
 public:
  explicit Watch(OutputFormat output) : output_(output) {}

  void show(const std::vector<GenerationStatus>& generations, bool last) {
    if (output_ == OutputFormat::kJson) return print(json_line(generations, /*one_line=*/true));
    if (!out_is_terminal()) {
      if (last) print_table(generation_table(generations));
      return;
    }
    // Over the table of the look before: up its lines, and everything below is cleared. Without
    // wrapping, so that a row stays a line.
    std::string text = lines_ > 0 ? absl::StrCat("\x1b[", lines_, "A\r\x1b[J") : "";
    const std::string table = aligned(generation_table(generations));
    lines_ = std::count(table.begin(), table.end(), '\n');
    print(absl::StrCat(text, "\x1b[?7l", table, "\x1b[?7h"));
  }

 private:
  const OutputFormat output_;
  int64_t lines_ = 0;
};

int watch(serve::Client& client, const ReplayTarget& target) {
  Watch shown(target.output);
  for (;; std::this_thread::sleep_for(kWatchInterval)) {
    const auto generations = client.generations(target.product);
    if (!generations.ok()) return report(generations.status());
    const bool last = !any_replays(*generations);
    shown.show(*generations, last);
    if (!last) continue;
    const std::string failures = failures_text(*generations);
    note(failures);
    return failures.empty() ? kExitOk : kExitError;
  }
}

void print_started(const GenerationStatus& started, const std::string& product,
                   OutputFormat output) {
  if (output == OutputFormat::kJson) return print(json_text(to_json(started)));
  print(absl::StrCat("generation ", started.id, " of product ", product, " ",
                     state_text(started) == "ready" ? "is ready" : "replays", "\n"));
}

// One request about one generation, and what to say once it is done.
template <typename Request>
int request_of_replay(const ReplayTarget& target, const std::string& verb, const std::string& done,
                      Request request) {
  const auto connection = open_server(target.connect, "kappa replay " + verb);
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  const auto found = find_replay(client, target.product, target.generation);
  if (!found.ok()) return report(found.status());
  if (const absl::Status status = request(client, *found); !status.ok()) return report(status);
  if (target.output == OutputFormat::kJson) {
    print(json_text({{"generation", found->id}, {"done", verb}}));
  } else {
    print(absl::StrCat("generation ", found->id, " ", done, "\n"));
  }
  return kExitOk;
}

}  // namespace

serve::ReplayBudget BudgetOptions::over(serve::ReplayBudget present) const {
  return {cpu_cores_max.value_or(present.cpu_cores_max),
          records_per_second_max.value_or(present.records_per_second_max),
          memory_mib_max ? *memory_mib_max << 20 : present.memory_bytes_max};
}

serve::ReplayRequest replay_request(const std::map<std::string, std::string>& files,
                                    const BudgetOptions& budget, const CourseOptions& course) {
  serve::ReplayRequest request{files, budget.over({}), course.accepted_gaps};
  request.start = course.start();
  request.recompute_all = course.recompute_all;
  return request;
}

absl::StatusOr<std::unique_ptr<Connection>> open_server(ConnectOptions connect,
                                                        const std::string& command) {
  connect.command = command;
  connect.needs_server = true;
  return Connection::open(std::move(connect));
}

int run_replay_start(const ReplayStartOptions& options) {
  const auto files = read_product(options.directory);
  if (!files.ok()) return report(files.status());
  const auto connection = open_server(options.target.connect, "kappa replay start");
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  const auto started = client.start_replay(
      files->name, replay_request(files->files, options.budget, options.course));
  if (!started.ok()) return report(started.status());
  const std::string next =
      absl::StrCat("kappa replay diff ", started->id, ", kappa replay swap ", started->id);
  if (!options.wait) {
    print_started(*started, files->name, options.target.output);
    note(absl::StrCat("kappa: how far it is: kappa replay status --watch; then: ", next, "\n"));
    return kExitOk;
  }
  const auto ready = wait_until_ready(client, files->name, started->id);
  if (!ready.ok()) return report(ready.status());
  print_started(*ready, files->name, options.target.output);
  note(absl::StrCat("kappa: what to do now: ", next, "\n"));
  return kExitOk;
}

int run_replay_status(const ReplayStatusOptions& options) {
  const auto connection = open_server(options.target.connect, "kappa replay status");
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  if (options.watch) return watch(client, options.target);
  const auto generations = client.generations(options.target.product);
  if (!generations.ok()) return report(generations.status());
  if (options.target.output == OutputFormat::kJson) {
    print(json_line(*generations, /*one_line=*/false));
  } else {
    print_table(generation_table(*generations));
    note(failures_text(*generations));
  }
  return kExitOk;
}

int run_replay_pause(const ReplayTarget& target) {
  return request_of_replay(target, "pause", "is paused", [&](auto& client, const auto& found) {
    return client.pause_replay(target.product, found.id);
  });
}

int run_replay_resume(const ReplayResumeOptions& options) {
  return request_of_replay(options.target, "resume", "goes on",
                           [&](auto& client, const GenerationStatus& found) {
                             std::optional<serve::ReplayBudget> budget;
                             if (options.budget.given()) budget = options.budget.over(found.budget);
                             return client.resume_replay(options.target.product, found.id, budget);
                           });
}

int run_replay_cancel(const ReplayTarget& target) {
  return request_of_replay(target, "cancel", "is gone", [&](auto& client, const auto& found) {
    return client.cancel_replay(target.product, found.id);
  });
}

}  // namespace kappa::cli
