#pragma once

#include <optional>
#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/export/row_text.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct ExportOptions {
  ConnectOptions connect;
  serve::ExportRequest rows;
  std::optional<ExportFormat> format;  // nullopt: by the file's name, else csv
  std::string file;                    // empty: standard output
  bool force = false;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa export VIEW`: the rows of a view, as of one moment, in a file or on standard output. What
// is said about them goes to standard error; as JSON, to standard output if that is free.
int run_export(const ExportOptions& options);

}  // namespace kappa::cli
