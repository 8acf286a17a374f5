#pragma once

#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct ProduceOptions {
  ConnectOptions connect;
  std::string topic;
  std::string file;           // empty or "-": standard input
  std::string key_separator;  // empty: lines are values without a key
  bool json = false;          // a line is a record as `consume --output json` prints it
  bool written = false;       // do not wait until records are on stable storage
  OutputFormat output = OutputFormat::kTable;
};
// `kappa produce TOPIC`: appends a record a line.
int run_produce(const ProduceOptions& options);

// A line as a record. InvalidArgument: what was found and what would be right.
absl::StatusOr<serve::RecordToSend> record_of_line(const std::string& line,
                                                   const ProduceOptions& options);

}  // namespace kappa::cli
