#pragma once

#include <string>
#include <vector>

#include "state/data_directory.h"

namespace kappa::cli {

// What a replay is to compute: --from, --order, --recompute-all, --accept-gap.
struct CourseOptions {
  std::string from;               // a time, as declared; empty: all that the log has
  std::string order = "journal";  // or "log-time"
  bool recompute_all = false;
  std::vector<std::string> accepted_gaps;  // topics

  // Whether a replay makes sense though the files change nothing.
  bool forces() const { return recompute_all || !from.empty() || order != "journal"; }
  state::ReplayStart start() const;
};

// "journal", "log-time".
const char* order_text(state::ReplayStart::Order order);
// In RFC 3339; empty: all that the log has.
std::string from_text(const state::ReplayStart& start);

}  // namespace kappa::cli
