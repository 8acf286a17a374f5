#pragma once

#include <string>
#include <vector>

#include "engine/cli/terminal.h"

namespace kappa::cli {

struct ValidateOptions {
  std::vector<std::string> paths;  // of products' directories or SQL files
  OutputFormat output = OutputFormat::kTable;
};
// `kappa validate DIR|FILE…`: prints everything that is wrong; 0 if nothing is.
int run_validate(const ValidateOptions& options);

}  // namespace kappa::cli
