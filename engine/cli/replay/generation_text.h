#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/cli/table.h"
#include "engine/serve/generations.h"

namespace kappa::cli {

// "replaying", "paused", "ready", "live", "retired", "failed"; "retired, follows" of one that still
// applies what arrives.
std::string state_text(const serve::GenerationStatus& status);

// A row a generation: what it is doing, how far it is, how large. "-": it does not run.
Table generation_table(const std::vector<serve::GenerationStatus>& generations);
nlohmann::ordered_json to_json(const serve::GenerationStatus& status);
// Why generations have stopped by themselves, a line each; empty: none has.
std::string failures_text(const std::vector<serve::GenerationStatus>& generations);

// "[####      ]  25 %  25000 of 100000 records  1000/s  1:40 left  at 2024-05-01T10:00:00Z".
std::string progress_text(const serve::GenerationStatus& status);

}  // namespace kappa::cli
