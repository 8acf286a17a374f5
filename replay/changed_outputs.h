#pragma once

#include <vector>

#include "absl/status/status.h"
#include "operators/plan.h"
#include "replay/logic_change.h"
#include "schemas/decoder.h"

namespace kappa::replay {

// An INSERT INTO a table of mode 'upsert' whose topic may have to hold other rows by a later logic
// than by a former one.
struct ChangedOutput {
  operators::NodeId before = operators::kNoNode;  // kNoNode: the former logic does not write there
  operators::NodeId after = operators::kNoNode;
};

// Those of the later logic, but for the ones that are computed and declared as before: equal logic
// has equal rows at one place of the order. A topic that the later logic does not write stays as it
// is, for nobody says what its rows should be.
std::vector<ChangedOutput> changed_outputs(const Logic& before, const Logic& after);

// The view whose rows an output's are, one by one: with nothing but filters and projections in
// between. kNoNode: there is something else, and its rows are kept nowhere.
operators::NodeId view_of_output(const operators::Plan& plan, operators::NodeId output);

// FailedPrecondition: a changed output of the later logic has rows that are kept nowhere. Names it,
// its place in `files`, which are the later logic's, and what to do.
absl::Status check_readable(const std::vector<ChangedOutput>& outputs, const operators::Plan& after,
                            const schemas::ProductFiles& files);

}  // namespace kappa::replay
