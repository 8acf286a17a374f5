#pragma once

#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/replay/course_options.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct PlanOptions {
  std::string directory;  // of the product's files
  ConnectOptions connect;
  CourseOptions course;               // of the replay; gaps that it accepts do not matter here
  double records_per_second_max = 0;  // of the replay whose time is told; 0: no limit
  OutputFormat output = OutputFormat::kTable;
};
// `kappa plan DIR`: what the files in a product's directory would change in the live generation,
// what of the log would have to be read again for it, and about how long and how much disk that
// takes. Changes nothing. kExitOk: they change nothing, whether or not the course computes it
// again; kExitChanges; kExitError.
int run_plan(const PlanOptions& options);

}  // namespace kappa::cli
