#pragma once

#include <string>

#include "engine/cli/terminal.h"

namespace kappa::cli {

struct NewProductOptions {
  std::string name;
  std::string into = ".";  // a directory, made if it is not there
  OutputFormat output = OutputFormat::kTable;
};
// `kappa new product NAME`: a directory with an example that works.
int run_new_product(const NewProductOptions& options);

}  // namespace kappa::cli
