#pragma once

#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct QueryOptions {
  ConnectOptions connect;
  std::string product;
  std::string sql;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa query "SELECT …"`: rows on standard output, what is said about them on standard error.
int run_query(const QueryOptions& options);

}  // namespace kappa::cli
