#pragma once

#include <cstdint>
#include <string>

#include "engine/cli/connection.h"
#include "engine/cli/terminal.h"

namespace kappa::cli {

struct DlqOptions {
  ConnectOptions connect;
  std::string what;     // "list" or "show"
  std::string topic;    // to show
  std::string product;  // only its; empty: of all
  std::string reason;   // show only records whose reason holds this text
  int64_t limit = 0;    // show at most so many; 0: all
  OutputFormat output = OutputFormat::kTable;
};
// `kappa dlq list`: what is in the dead-letter topics and late topics, by reason.
// `kappa dlq show TOPIC`: their records; with kJson an object a line.
int run_dlq(const DlqOptions& options);

}  // namespace kappa::cli
