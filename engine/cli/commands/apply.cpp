#include "engine/cli/commands/apply.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/change_plan.h"
#include "engine/cli/confirm.h"
#include "engine/cli/product_files.h"
#include "engine/cli/replay/comparison_text.h"
#include "engine/cli/replay/follow.h"
#include "engine/cli/replay/generation_text.h"
#include "engine/cli/value_json.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using serve::GenerationStatus;

// One run of the command: its steps in their order.
class Application {
 public:
  Application(const ApplyOptions& options, ProductFiles files, serve::Client* client)
      : options_(options), files_(std::move(files)), client_(*client) {}

  int run() {
    ConnectOptions connect = options_.connect;
    connect.command = "kappa apply";
    const auto plan = make_change_plan(options_.directory, connect, options_.course,
                                       options_.budget.over({}).records_per_second_max);
    if (!plan.ok()) return report(plan.status());
    show_plan(*plan);
    if (!plan->has_replay()) return kExitOk;
    const auto present = replay_of(*plan);
    if (!present.ok()) return report(present.status());
    if (*present) {
      note(absl::StrCat("kappa: generation ", (*present)->id, " is of these files and is ",
                        state_text(**present), "\n"));
    }
    if (!options_.auto_approve) {
      if (!can_ask()) {
        note("kappa: nothing is done without --auto-approve\n");
        return kExitChanges;
      }
      const bool go_on =
          confirmed(*present ? absl::StrCat("go on with generation ", (*present)->id, "?")
                             : "start the replay?");
      if (!go_on) return report("nothing was done");
    }
    return carry_out(*present);
  }

 private:
  bool json() const { return options_.output == OutputFormat::kJson; }

  // With --output json: a line a step.
  void event(const std::string& name, const Json& fields) const {
    Json line;
    line["event"] = name;
    line.update(fields);
    print(json_text(line, /*one_line=*/true));
  }

  void show_plan(const ChangePlan& plan) const {
    if (json()) {
      event("plan", to_json(plan));
    } else {
      print_change_plan(plan);
    }
  }

  // The generation of exactly these files, if one is replaying or ready and has not failed.
  absl::StatusOr<std::optional<GenerationStatus>> replay_of(const ChangePlan& plan) {
    if (!plan.made) return std::nullopt;
    KAPPA_ASSIGN_OR_RETURN(const auto generations, client_.generations(files_.name));
    for (const GenerationStatus& one : generations) {
      if (one.id == *plan.made && one.failure.ok()) return one;
    }
    return std::nullopt;
  }

  int carry_out(const std::optional<GenerationStatus>& present) {
    const auto generation = present ? go_on_with(*present) : start();
    if (!generation.ok()) return report(generation.status());
    const auto ready =
        wait_until_ready(client_, files_.name, generation->id, [&](const auto& status) {
          if (json()) event("progress", to_json(status));
        });
    if (!ready.ok()) return report(ready.status());
    if (const absl::Status equal = show_differences(ready->id); !equal.ok()) return report(equal);
    if (!options_.auto_approve &&
        !confirmed(absl::StrCat("make generation ", ready->id, " the live one?"))) {
      return report(absl::StrCat("generation ", ready->id,
                                 " is left ready: kappa replay swap, or kappa replay cancel"));
    }
    const auto swapped = client_.swap_generation(
        files_.name, {ready->id, required_views(options_.require_equal), options_.keep_following},
        options_.deadline_s * 1000);
    if (!swapped.ok()) return report(swapped.status());
    show_swap(*swapped);
    return kExitOk;
  }

  absl::StatusOr<GenerationStatus> start() {
    KAPPA_ASSIGN_OR_RETURN(
        GenerationStatus started,
        client_.start_replay(files_.name,
                             replay_request(files_.files, options_.budget, options_.course)));
    if (json()) {
      event("replay", to_json(started));
    } else {
      print(absl::StrCat("\ngeneration ", started.id, " replays\n"));
    }
    return started;
  }

  absl::StatusOr<GenerationStatus> go_on_with(const GenerationStatus& present) {
    std::optional<serve::ReplayBudget> budget;
    if (options_.budget.given()) budget = options_.budget.over(present.budget);
    const bool replays = present.state == state::GenerationState::kReplaying;
    if (replays && (present.paused || budget)) {
      KAPPA_RETURN_IF_ERROR(client_.resume_replay(files_.name, present.id, budget));
    }
    return present;
  }

  // FailedPrecondition: views that must be equal are not.
  absl::Status show_differences(uint32_t generation) {
    KAPPA_ASSIGN_OR_RETURN(
        const serve::Comparison comparison,
        client_.compare_generations(files_.name, generation, 0, options_.deadline_s * 1000));
    if (json()) {
      event("comparison", to_json(comparison));
    } else {
      print("\n" + comparison_text(comparison) + "\n");
    }
    KAPPA_ASSIGN_OR_RETURN(const auto unequal,
                           unequal_views(comparison, required_views(options_.require_equal)));
    if (unequal.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("must be equal and differ: ", absl::StrJoin(unequal, ", "), "; generation ",
                     generation, " is left ready: kappa replay diff shows rows"));
  }

  void show_swap(const serve::SwapReport& report) const {
    if (json()) {
      event("swap", {{"from", report.from},
                     {"to", report.to},
                     {"seconds", report.seconds},
                     {"held_seconds", report.held_seconds}});
    } else {
      print_swap(report, options_.output);
    }
    note("kappa: the way back: kappa replay rollback\n");
  }

  const ApplyOptions& options_;
  const ProductFiles files_;
  serve::Client& client_;
};

}  // namespace

int run_apply(const ApplyOptions& options) {
  auto files = read_product(options.directory);
  if (!files.ok()) return report(files.status());
  const auto connection = open_server(options.connect, "kappa apply");
  if (!connection.ok()) return report(connection.status());
  return Application(options, *std::move(files), &(*connection)->client()).run();
}

}  // namespace kappa::cli
