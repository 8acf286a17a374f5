#pragma once

#include <cstdint>
#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct SubscribeCommandOptions {
  ConnectOptions connect;
  std::string output_name;
  std::string product;
  std::string resume;
  bool from_beginning = false;
  int64_t limit = 0;  // 0: none
  int64_t heartbeat_ms = 0;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa subscribe OUTPUT`: prints what a product writes to an output, a change a line, until it is
// interrupted.
int run_subscribe(const SubscribeCommandOptions& options);

}  // namespace kappa::cli
