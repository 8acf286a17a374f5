#pragma once

#include <cstdint>
#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct ConsumeOptions {
  ConnectOptions connect;
  std::string topic;
  std::string from = "beginning";  // or "end", an offset, an RFC 3339 time
  int32_t partition = -1;          // -1: all
  int64_t limit = 0;               // 0: none
  bool follow = false;
  std::string key_separator;  // empty: values without keys
  OutputFormat output = OutputFormat::kTable;
};
// `kappa consume TOPIC`: prints a record a line.
int run_consume(const ConsumeOptions& options);

// Where `from` says to begin. InvalidArgument: what would be right.
absl::Status set_start(const std::string& from, serve::TopicReadOptions* read);

}  // namespace kappa::cli
