#include "engine/cli/replay/follow.h"

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cli/import/progress_bar.h"
#include "engine/cli/replay/generation_text.h"
#include "engine/cli/table.h"
#include "engine/cli/terminal.h"
#include "engine/types/status_macros.h"

namespace kappa::cli {
namespace {

using serve::GenerationStatus;
using state::GenerationState;

constexpr std::chrono::milliseconds kLookInterval{500};

absl::Status not_there(uint32_t generation, const std::vector<GenerationStatus>& there) {
  return absl::NotFoundError(
      absl::StrCat("there is no generation ", generation, "; there are ",
                   absl::StrJoin(there, ", ", [](std::string* out, const GenerationStatus& one) {
                     absl::StrAppend(out, one.id, " (", state_text(one), ")");
                   })));
}

absl::StatusOr<GenerationStatus> find_generation(serve::Client& client, const std::string& product,
                                                 uint32_t generation) {
  KAPPA_ASSIGN_OR_RETURN(const auto generations, client.generations(product));
  for (const GenerationStatus& one : generations) {
    if (one.id == generation) return one;
  }
  return not_there(generation, generations);
}

}  // namespace

absl::StatusOr<GenerationStatus> wait_until_ready(
    serve::Client& client, const std::string& product, uint32_t generation,
    const std::function<void(const GenerationStatus&)>& on_look) {
  ProgressBar bar;
  for (bool paused_told = false;; std::this_thread::sleep_for(kLookInterval)) {
    absl::StatusOr<GenerationStatus> status = find_generation(client, product, generation);
    if (absl::IsNotFound(status.status())) {
      return absl::AbortedError(
          absl::StrCat("generation ", generation, " is gone: its replay has been cancelled"));
    }
    if (!status.ok()) return status;
    if (on_look) on_look(*status);
    if (!status->failure.ok()) {
      return absl::AbortedError(absl::StrCat("generation ", generation, " has stopped: ",
                                             on_one_line(std::string(status->failure.message()))));
    }
    if (!status->paused_because.empty()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("generation ", generation, " is paused: ", status->paused_because));
    }
    if (status->state != GenerationState::kReplaying) return status;
    if (status->paused && !paused_told) {
      bar.clear();
      note(absl::StrCat("kappa: generation ", generation,
                        " is paused; it goes on with: kappa replay resume\n"));
    }
    paused_told = status->paused;
    bar.show(progress_text(*status));
  }
}

absl::StatusOr<GenerationStatus> find_replay(serve::Client& client, const std::string& product,
                                             uint32_t generation, Meant meant) {
  if (generation != 0) return find_generation(client, product, generation);
  KAPPA_ASSIGN_OR_RETURN(const auto generations, client.generations(product));
  const std::string what = meant == Meant::kReady ? "ready" : "replaying or ready";
  const GenerationStatus* found = nullptr;
  for (const GenerationStatus& one : generations) {
    const bool replaying = one.state == GenerationState::kReplaying;
    const bool wanted =
        one.state == GenerationState::kReady || (replaying && meant == Meant::kReplayingOrReady);
    if (!wanted) continue;
    if (found != nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("the generations ", found->id, " and ",
                                                        one.id, " are both ", what, "; name one"));
    }
    found = &one;
  }
  if (found != nullptr) return *found;
  return absl::FailedPreconditionError(
      absl::StrCat("no generation is ", what, "; kappa replay status shows those that there are"));
}

}  // namespace kappa::cli
