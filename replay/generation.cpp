#include "replay/generation.h"

#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"

namespace kappa::replay {
namespace {

std::string plan_text(const operators::Plan& plan) {
  std::string text;
  for (const operators::PlanNode& node : plan.nodes) {
    absl::StrAppend(&text, "#", node.id, " ", operators::describe(plan, node), "\n");
  }
  return text;
}

}  // namespace

std::string state_text(const state::GenerationInfo& info) {
  switch (info.state) {
    case state::GenerationState::kReplaying:
      return "is replaying";
    case state::GenerationState::kReady:
      return "is ready";
    case state::GenerationState::kLive:
      return "is live";
    case state::GenerationState::kRetired:
      return "is retired";
  }
  return "";
}

bool is_replay(const state::GenerationInfo& info) {
  return info.state == state::GenerationState::kReplaying ||
         info.state == state::GenerationState::kReady;
}

runtime::Pace pace_of(const state::GenerationInfo& info) {
  if (!is_replay(info)) return {};
  return {info.paused, info.records_per_second_max, info.cpu_cores_max};
}

Logic logic_of(const Generation& generation) {
  return {generation.pipeline->plan(), generation.protos};
}

absl::Status make_generation(const state::DataDirectory& directory, const std::string& product,
                             const state::GenerationInfo& info, const operators::Plan& plan,
                             const state::FillStore& fill) {
  state::GenerationManifest manifest;
  manifest.plan_fingerprint = operators::fingerprint(plan);
  manifest.plan_text = plan_text(plan);
  manifest.journal = "journal";
  manifest.start =
      info.start.from_ms ? timestamp_to_text(*info.start.from_ms * kMicrosPerMilli) : "earliest";
  const std::string path = directory.generation_path(product, info.id);
  absl::Status made = state::create_generation(path, manifest, fill).status();
  if (absl::IsAlreadyExists(made)) {
    KAPPA_RETURN_IF_ERROR(state::drop_generation(path));
    made = state::create_generation(path, manifest, fill).status();
  }
  return made;
}

absl::Status sweep_generations(const state::DataDirectory& directory,
                               const state::ProductInfo& info) {
  const std::string path = directory.generations_path(info.name);
  std::set<std::string> known;
  for (const state::GenerationInfo& generation : info.generations) {
    known.insert(directory.generation_path(info.name, generation.id));
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    uint32_t id = 0;
    const bool numbered = absl::SimpleAtoi(entry.path().filename().string(), &id);
    if (!numbered || known.contains(directory.generation_path(info.name, id))) continue;
    KAPPA_RETURN_IF_ERROR(state::drop_generation(directory.generation_path(info.name, id)));
  }
  return state::sweep_dropped_generations(path);
}

absl::StatusOr<std::shared_ptr<Generation>> open_generation(const Surroundings& surroundings,
                                                            const state::GenerationInfo& info,
                                                            Role role) {
  KAPPA_ASSIGN_OR_RETURN(CompiledFiles files, surroundings.compile(info.files));
  if (operators::fingerprint(files.plan) != info.plan_fingerprint) {
    return absl::FailedPreconditionError(
        absl::StrCat("this version of kappa plans it otherwise than the one that made generation ",
                     info.id, "; run that version, or start again with another --data"));
  }
  KAPPA_RETURN_IF_ERROR(surroundings.make_topics(files.plan));
  auto generation = std::make_shared<Generation>();
  generation->id = info.id;
  generation->protos = std::move(files.protos);
  const state::DataDirectory& directory = surroundings.directory;
  KAPPA_ASSIGN_OR_RETURN(
      state::OpenGeneration opened,
      state::open_generation(directory.generation_path(surroundings.product, info.id)));
  generation->store = std::move(opened.store);
  runtime::PipelineOptions options = surroundings.pipeline;
  options.product = surroundings.product;
  options.generation = info.id;
  options.follow_only = role == Role::kFollows;
  options.stand_still = role == Role::kStandsStill;
  if (options.follow_only) options.publisher = nullptr;
  KAPPA_ASSIGN_OR_RETURN(
      generation->pipeline,
      runtime::Pipeline::open(std::move(files.plan), generation->protos, &surroundings.log,
                              generation->store.get(), directory.journal_path(surroundings.product),
                              &surroundings.clock, options));
  return generation;
}

}  // namespace kappa::replay
