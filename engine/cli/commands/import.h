#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cli/connection.h"
#include "engine/cli/import/mapping.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

// Everything is imported but for some lines, which are kept aside.
inline constexpr int kExitBadLines = 3;

struct ImportOptions {
  ConnectOptions connect;
  std::string file;  // "-": standard input
  std::string topic;
  std::string format;  // "csv", "ndjson"; empty: by the file's name
  MappingOptions mapping;
  std::string id;   // of the import; empty: of the file
  std::string bad;  // where bad lines go; empty: beside the file
  int64_t bad_max = 1000;
  bool create = false;
  int32_t partitions = 4;
  bool complete = false;
  std::string product;  // that is completed
  OutputFormat output = OutputFormat::kTable;
};
// `kappa import FILE --topic TOPIC`: appends a file's records to a topic.
int run_import(const ImportOptions& options);

}  // namespace kappa::cli
