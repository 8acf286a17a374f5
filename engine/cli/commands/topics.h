#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct TopicsOptions {
  ConnectOptions connect;
  std::string what;                   // "create": what products need; empty: list, or `create`
  std::vector<std::string> products;  // their directories
  std::string create;                 // a topic to make
  bool yes = false;                   // do not ask
  int32_t partitions = 0;             // 0: one; of sources of products 4
  int32_t replication = 0;            // 0: as the log does it by default
  std::string retention;              // an interval; empty: for ever
  int64_t retention_bytes = 0;        // 0: unlimited
  OutputFormat output = OutputFormat::kTable;
};
// `kappa topics`: lists the log's topics, or makes one.
// `kappa topics create --product DIR`: shows what would be made, then makes it.
int run_topics(const TopicsOptions& options);

}  // namespace kappa::cli
