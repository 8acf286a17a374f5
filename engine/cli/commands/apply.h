#pragma once

#include <string>
#include <vector>

#include "engine/cli/commands/replay.h"

namespace kappa::cli {

struct ApplyOptions {
  std::string directory;
  ConnectOptions connect;
  BudgetOptions budget;
  CourseOptions course;
  std::vector<std::string> require_equal;
  int64_t deadline_s = kDeadlineS;  // of the comparison, and of the swap
  bool keep_following = false;
  bool auto_approve = false;
  OutputFormat output = OutputFormat::kTable;
};
// `kappa apply DIR`: puts the files in a product's directory in the place of what is live.
//
//   plan ─ask─► replay, until it is ready ─► differences ─ask─► swap
//
// A replay of exactly these files that is there already is gone on with. kExitOk: it is done, or
// the files change nothing; kExitChanges: there are changes, nobody to ask and no `auto_approve`;
// kExitError: it failed, or an answer was no.
int run_apply(const ApplyOptions& options);

}  // namespace kappa::cli
