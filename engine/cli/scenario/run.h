#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/cli/scenario/scenario.h"
#include "engine/cli/scenario/script.h"

namespace kappa::cli::scenario {

// What came of running a scenario in all its ways.
struct ScenarioResult {
  std::vector<Failure> failures;  // by line; none: it holds
  // The rows that the straight way gave for each step that expects rows, by the step's index.
  std::map<size_t, std::vector<std::string>> rows;
};

// Runs a scenario straight, then with a checkpoint and restart after every entry, with 4 workers,
// and from the start over the whole log. The last three follow the journal of the first. Every way
// must give the expected rows, and all must end in equal canonical dumps. Scratch files go below
// the system's temporary directory and are removed.
//
// With `fill_in`, rows that differ from the expected ones are no failure unless the ways differ
// among themselves.
ScenarioResult run_scenario(const Scenario& scenario, bool fill_in);

// The file's text with the expected rows replaced by `result.rows`; everything else stays.
std::string rewritten(const Scenario& scenario, const ScenarioResult& result);

}  // namespace kappa::cli::scenario
