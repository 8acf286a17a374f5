#pragma once

#include <cstdint>
#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct TopicsOptions {
  ConnectOptions connect;
  std::string create;  // a topic to make; empty: list
  int32_t partitions = 1;
  std::string retention;        // an interval; empty: for ever
  int64_t retention_bytes = 0;  // 0: unlimited
  OutputFormat output = OutputFormat::kTable;
};
// `kappa topics`: lists the log's topics, or makes one.
int run_topics(const TopicsOptions& options);

}  // namespace kappa::cli
