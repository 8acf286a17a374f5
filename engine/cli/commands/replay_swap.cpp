// The commands of `kappa replay` that compare and exchange generations.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/cli/commands/replay.h"
#include "engine/cli/confirm.h"
#include "engine/cli/replay/comparison_text.h"
#include "engine/cli/replay/follow.h"
#include "engine/cli/value_json.h"

namespace kappa::cli {
namespace {

using Json = nlohmann::ordered_json;
using serve::GenerationStatus;
using state::GenerationState;

// nullopt: go ahead. Else what to end with: nobody is there to ask, or the answer was no.
std::optional<int> ask_unless(bool yes, const std::string& question, const std::string& would) {
  if (yes) return std::nullopt;
  if (!can_ask()) {
    note(absl::StrCat("kappa: ", would, "; nothing is done without --yes\n"));
    return kExitUsage;
  }
  if (confirmed(question)) return std::nullopt;
  return report("nothing was done");
}

}  // namespace

void print_swap(const serve::SwapReport& report, OutputFormat output) {
  if (output == OutputFormat::kJson) {
    print(json_text({{"from", report.from},
                     {"to", report.to},
                     {"seconds", report.seconds},
                     {"held_seconds", report.held_seconds}}));
    return;
  }
  print(absl::StrFormat(
      "generation %d is live, in place of generation %d; records were held for %.3f s of %.3f s\n",
      report.to, report.from, report.held_seconds, report.seconds));
}

int run_replay_diff(const ReplayDiffOptions& options) {
  const ReplayTarget& target = options.target;
  const auto connection = open_server(target.connect, "kappa replay diff");
  if (!connection.ok()) return report(connection.status());
  const auto comparison =
      (*connection)
          ->client()
          .compare_generations(target.product, target.generation,
                               static_cast<size_t>(options.samples), options.deadline_s * 1000);
  if (!comparison.ok()) return report(comparison.status());
  std::vector<std::string> required = required_views(options.require_equal);
  if (required.empty()) required = required_views({"all"});
  const auto unequal = unequal_views(*comparison, required);
  if (!unequal.ok()) return report(unequal.status());
  print(target.output == OutputFormat::kJson ? json_text(to_json(*comparison))
                                             : comparison_text(*comparison));
  if (unequal->empty()) return kExitOk;
  if (!options.require_equal.empty()) {
    note(absl::StrCat("kappa: must be equal and differ: ", absl::StrJoin(*unequal, ", "), "\n"));
  }
  return kExitChanges;
}

int run_replay_swap(const ReplaySwapOptions& options) {
  const ReplayTarget& target = options.target;
  const auto connection = open_server(target.connect, "kappa replay swap");
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  const auto found = find_replay(client, target.product, target.generation, Meant::kReady);
  if (!found.ok()) return report(found.status());
  const auto stop =
      ask_unless(options.yes, absl::StrCat("make generation ", found->id, " the live one?"),
                 absl::StrCat("generation ", found->id, " would be made the live one"));
  if (stop) return *stop;
  const auto swapped = client.swap_generation(
      target.product, {found->id, required_views(options.require_equal), options.keep_following},
      options.deadline_s * 1000);
  if (!swapped.ok()) return report(swapped.status());
  print_swap(*swapped, target.output);
  note("kappa: the way back: kappa replay rollback\n");
  return kExitOk;
}

int run_replay_rollback(const ReplaySwapOptions& options) {
  const ReplayTarget& target = options.target;
  const auto connection = open_server(target.connect, "kappa replay rollback");
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  const auto stop =
      ask_unless(options.yes, "make the generation that was live before the live one again?",
                 "the generation that was live before would be made the live one again");
  if (stop) return *stop;
  const auto swapped =
      client.roll_back(target.product, options.keep_following, options.deadline_s * 1000);
  if (!swapped.ok()) return report(swapped.status());
  print_swap(*swapped, target.output);
  return kExitOk;
}

int run_replay_gc(const ReplayGcOptions& options) {
  const ReplayTarget& target = options.target;
  const auto connection = open_server(target.connect, "kappa replay gc");
  if (!connection.ok()) return report(connection.status());
  serve::Client& client = (*connection)->client();
  const auto generations = client.generations(target.product);
  if (!generations.ok()) return report(generations.status());
  const auto retired = std::count_if(generations->begin(), generations->end(), [](const auto& one) {
    return one.state == GenerationState::kRetired;
  });
  const int64_t removed = std::max<int64_t>(0, retired - options.keep);
  if (removed > 0) {
    const std::string what =
        absl::StrCat(removed, removed == 1 ? " retired generation" : " retired generations");
    const auto stop = ask_unless(
        options.yes, absl::StrCat("remove ", what, "? There is no way back to what is removed"),
        what + " would be removed");
    if (stop) return *stop;
  }
  const auto dropped = client.drop_retired_generations(target.product, options.keep);
  if (!dropped.ok()) return report(dropped.status());
  if (target.output == OutputFormat::kJson) {
    print(json_text({{"removed", *dropped}}));
  } else if (dropped->empty()) {
    print("there is nothing to remove\n");
  } else {
    print(absl::StrCat("removed ", dropped->size() == 1 ? "generation " : "generations ",
                       absl::StrJoin(*dropped, ", "), "\n"));
  }
  return kExitOk;
}

}  // namespace kappa::cli
