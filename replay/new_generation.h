#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/types/time.h"
#include "operators/plan.h"
#include "replay/generation.h"
#include "replay/logic_change.h"
#include "state/data_directory.h"
#include "state/generation.h"

namespace kappa::replay {

// What a new generation computes from the log, and what it brings along from the live one.
struct Course {
  state::ReplayStart start;
  std::vector<int> sources;  // of its plan, by index: what it reads from `start` on
  std::vector<bool> kept;    // nodes of its plan that the live one gives along; empty: none
  std::vector<std::string> kept_views;

  bool keeps() const { return !kept.empty(); }
};

// InvalidArgument: it begins at a time that is still to come.
absl::Status check_start(const state::ReplayStart& start, LogTime now);

// From the live generation's logic, `before`, to `after`; `change` is what compare() says of them.
// What need not be computed is kept if both begin with the same records in the order of the
// journal, and unless all is to be computed again.
Course make_course(const operators::Plan& before, const state::ReplayStart& live,
                   const operators::Plan& after, const state::ReplayStart& start,
                   const LogicChange& change, bool recompute_all);

// FailedPrecondition: the log does not have all of what the course reads, in a topic that is not
// among the accepted ones.
absl::Status check_gaps(const operators::Plan& plan, const Course& course, const log::Log& log,
                        const std::vector<std::string>& accepted);

// Makes the store with which a generation begins; null: it begins with nothing. The live pipeline
// runs; all outlive the result. DeadlineExceeded: it was in the midst of an entry all the time.
state::FillStore first_state(const Surroundings& surroundings, Generation& live,
                             const operators::Plan& plan, const Course& course);

}  // namespace kappa::replay
