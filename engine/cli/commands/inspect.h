#pragma once

#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct InspectOptions {
  ConnectOptions connect;
  std::string product;  // empty: all
  bool checksum = false;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa inspect`: products, their generations, places and sizes.
int run_inspect(const InspectOptions& options);

}  // namespace kappa::cli
