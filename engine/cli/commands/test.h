#pragma once

#include <string>
#include <vector>

#include "engine/cli/terminal.h"

namespace kappa::cli {

struct TestOptions {
  std::vector<std::string> paths;
  bool rewrite = false;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa test FILE|DIR…`: 0 if every scenario holds.
int run_test(const TestOptions& options);

}  // namespace kappa::cli
