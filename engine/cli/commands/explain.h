#pragma once

#include <string>

#include "engine/cli/terminal.h"

namespace kappa::cli {

struct ExplainOptions {
  std::string path;  // of a product's directory or a SQL file
  std::string view;  // or output topic; empty: all of them
  OutputFormat output = OutputFormat::kTable;
};
// `kappa explain DIR|FILE [VIEW]`: shows the plan as a tree for each view and output. Reads files
// only; faulty SQL is reported as `kappa validate` does.
int run_explain(const ExplainOptions& options);

}  // namespace kappa::cli
