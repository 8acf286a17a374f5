#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/runtime/place.h"
#include "engine/types/time.h"
#include "operators/plan.h"

namespace kappa::runtime {

// Where a generation begins that does not begin with nothing at the journal's first entry: the
// place that its first checkpoint holds. A pipeline that opens there goes on from there.

// What a plan reads.
std::set<std::string> topics_read(const operators::Plan& plan);

// One of `plan` that begins with nothing. What follows adds to it.
Place beginning(const operators::Plan& plan, uint64_t journal_id);

// It reads the plan's topics from the first record on whose timestamp is not before `time`.
// NotFound: the log does not have one; Unavailable: it does not answer.
absl::Status begin_at_time(const operators::Plan& plan, const log::Log& log, LogTime time,
                           Place* place);

// It takes all that another generation has applied, which stands at `at` between two entries, as
// one entry, so by log time over all partitions; then it goes on in the journal from there. Ticks
// and end marks until there are left out.
void begin_in_log_time(const operators::Plan& plan, const Place& at, Place* place);

// Whether a node remembers something from row to row.
bool keeps_state(const operators::PlanNode& node);

// Of `nodes` of `plan`, by node, those that can be brought along from a generation of `before`: it
// has their state under the same name, if they keep any, and so for all that read them. Of two
// equal operators the second has another name than when it was the only one.
std::vector<bool> can_be_brought_along(const operators::Plan& before, const operators::Plan& plan,
                                       std::vector<bool> nodes);

// It brings along the state of these nodes of `plan`, by node, from a generation that stands at
// `at`, between two entries: `place` gets what is in no table, and they rest until the order has
// come there (Rest). All of them can be. Gives back whose rows and events are theirs
// (operators::operator_id).
std::set<uint64_t> bring_along(const operators::Plan& before, const Place& at,
                               const operators::Plan& plan, const std::vector<bool>& nodes,
                               Place* place);

}  // namespace kappa::runtime
