#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/scenario/scenario.h"
#include "engine/types/record.h"
#include "operators/plan.h"
#include "schemas/decoder.h"

namespace kappa::cli::scenario {

// What is wrong with a scenario, or what went otherwise than it says.
struct Failure {
  int line = 0;
  std::string message;  // may have several lines
};

// A record as every way appends it: nothing is left to be decided.
struct ScriptRecord {
  int32_t partition = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  LogTime timestamp;
  RecordHeaders headers;
};

// A step that adds an entry to the order journal.
struct ScriptEntry {
  size_t step = 0;  // index into Scenario::steps
  LogTime clock;
  std::string topic;                  // of a `records` step
  std::vector<ScriptRecord> records;  // of a `records` step, in order
};

// A scenario made ready to be run: one plan, the topics it needs, and records as bytes.
struct Script {
  operators::Plan plan;
  schemas::ProductFiles files;
  std::map<std::string, int32_t> topics;  // to their number of partitions
  std::vector<ScriptEntry> entries;       // in the order of their steps
};

// `failures` tells every step that cannot be prepared; the script is meaningful only if none is.
Script prepare(const Scenario& scenario, std::vector<Failure>* failures);

// Whether a statement reads rows (SELECT, VALUES or WITH) instead of declaring something.
bool is_read(std::string_view sql);
// What a regular expression of `statement error` says about an error: nullopt if it matches.
std::optional<std::string> mismatch(const std::string& regex, std::string_view error);

}  // namespace kappa::cli::scenario
