#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/cli/service.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct PlaygroundOptions {
  ServiceOptions service;
  int64_t rate = 2000;
  uint64_t seed = 1;
  int64_t records = 0;  // to generate before it ends; 0: no end
  OutputFormat output = OutputFormat::kTable;
};
// `kappa playground`: until a signal ends it, or all records are generated and applied (0), or
// something fails (1).
int run_playground(const PlaygroundOptions& options);

}  // namespace kappa::cli
