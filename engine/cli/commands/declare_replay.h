#pragma once

#include <string>

#include "engine/cli/commands/apply.h"
#include "engine/cli/commands/declare.h"
#include "engine/cli/commands/replay.h"

namespace kappa::cli {

// The values of the options of `kappa replay …` and `kappa apply`.
struct ReplayCommands {
  ReplayStartOptions start;
  ReplayStatusOptions status;
  ReplayTarget pause;
  ReplayResumeOptions resume;
  ReplayTarget cancel;
  ReplayDiffOptions diff;
  ReplaySwapOptions swap;
  ReplaySwapOptions rollback;
  ReplayGcOptions gc;
  ApplyOptions apply;
};

// Everything outlives the parsing.
void declare_replay_and_apply(CLI::App& app, ReplayCommands& options, std::string& config,
                              Chosen* chosen);

}  // namespace kappa::cli
