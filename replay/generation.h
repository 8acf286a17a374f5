#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/log/outbox_publisher.h"
#include "engine/runtime/pipeline.h"
#include "engine/types/clock.h"
#include "operators/plan.h"
#include "replay/logic_change.h"
#include "schemas/decoder.h"
#include "state/data_directory.h"
#include "state/generation.h"
#include "state/store.h"

namespace kappa::replay {

// Files of a product, by path.
using FileTexts = std::map<std::string, std::string>;

// What they say.
struct CompiledFiles {
  operators::Plan plan;
  schemas::ProductFiles protos;
};

// What all generations of a product have in common. Outlives them.
struct Surroundings {
  std::string product;
  state::DataDirectory& directory;
  log::Log& log;
  Clock& clock;
  // Its publisher is the product's; whether to follow is set for each generation.
  runtime::PipelineOptions pipeline;
  // InvalidArgument: everything that is wrong with the files.
  std::function<absl::StatusOr<CompiledFiles>(const FileTexts&)> compile;
  // Makes topics that a plan writes to or reads and the log does not have.
  std::function<absl::Status(const operators::Plan&)> make_topics;
};

// A generation that is open: its state and its pipeline.
struct Generation {
  uint32_t id = 0;
  schemas::ProductFiles protos;
  std::unique_ptr<state::StateStore> store;
  std::unique_ptr<runtime::Pipeline> pipeline;
};

// "is replaying", and so on.
std::string state_text(const state::GenerationInfo& info);

// Whether it replays, or has and is ready.
bool is_replay(const state::GenerationInfo& info);
// What it may take of the machine now.
runtime::Pace pace_of(const state::GenerationInfo& info);

// Of one that is open.
Logic logic_of(const Generation& generation);

// Makes the directory of a generation of this plan. The remains of a crash, or of a generation that
// the catalogue does not have, are removed. `fill`: of one that does not begin with nothing.
absl::Status make_generation(const state::DataDirectory& directory, const std::string& product,
                             const state::GenerationInfo& info, const operators::Plan& plan,
                             const state::FillStore& fill = nullptr);

// Removes the directories that the catalogue does not have: what a crash has left between it and
// them.
absl::Status sweep_generations(const state::DataDirectory& directory,
                               const state::ProductInfo& info);

enum class Role : uint8_t { kLeads, kFollows, kStandsStill };  // the last: leads, once released

// Opens one at its last checkpoint; it is not started. FailedPrecondition: this version of kappa
// plans its files otherwise.
absl::StatusOr<std::shared_ptr<Generation>> open_generation(const Surroundings& surroundings,
                                                            const state::GenerationInfo& info,
                                                            Role role);

}  // namespace kappa::replay
