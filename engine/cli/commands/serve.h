#pragma once

#include <string>
#include <vector>

#include "engine/cli/service.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct ServeOptions {
  ServiceOptions service;
  std::vector<std::string> products;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa serve`: until a signal ends it (0) or a pipeline fails (1).
int run_serve(const ServeOptions& options);

// Listens for SIGINT and SIGTERM and looks after the pipelines, then stops the service.
class StopSignal;
int run_until_stopped(Service& service, StopSignal& signal);

}  // namespace kappa::cli
