#pragma once

#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct PlanOptions {
  std::string directory;  // of the product's files
  ConnectOptions connect;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa plan DIR`: what the files in a product's directory would change in the live generation,
// and what of the log would have to be read again for it. Changes nothing. kExitOk: they change
// nothing; kExitChanges; kExitError.
int run_plan(const PlanOptions& options);

}  // namespace kappa::cli
