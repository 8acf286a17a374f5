#pragma once

#include "engine/cli/terminal.h"

namespace kappa::cli {

// "0.1.0"
const char* version();

struct VersionOptions {
  OutputFormat output = OutputFormat::kTable;
};
// `kappa version`
int run_version(const VersionOptions& options);

}  // namespace kappa::cli
