#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/join_condition.h"
#include "engine/sql/join_side.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// The join of two append-only sides whose event times are close to each other.

// Whether it is one: both sides are append-only, and the right one cannot be looked up by its key.
bool is_interval_join(const JoinSide& left, const JoinSide& right, const JoinCondition& on);

// What must hold, and how the join is bounded; takes the bounds out of `on`.
absl::StatusOr<operators::IntervalJoinNode> bind_interval_join(const Node& join,
                                                               const SourceText& text,
                                                               const JoinSide& left,
                                                               const JoinSide& right, bool outer,
                                                               int64_t grace_us, JoinCondition* on);

// Plans the join by what `on` equates, which is in `op.key`. The rows have the columns of both
// sides, one after the other. Their key is that of both sides, as in a relation join; if one has
// none, an inner join's rows are by the record that completed the pair.
Relation plan_interval_join(PlanBuilder& builder, const JoinSide& left, const JoinSide& right,
                            const JoinCondition& on, operators::IntervalJoinNode op);

// Puts `join_time`, the later one of both event times, behind the columns of a join whose sides
// have theirs at `left` and `right`: it is the event time of a pair.
absl::Status add_join_time(PlanBuilder& builder, const Node& join, int left, int right,
                           JoinSide* joined);

}  // namespace kappa::sql
