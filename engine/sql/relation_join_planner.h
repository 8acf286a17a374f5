#pragma once

#include "absl/status/status.h"
#include "engine/sql/join_condition.h"
#include "engine/sql/join_side.h"
#include "engine/sql/plan_builder.h"

namespace kappa::sql {

// The join of a relation that changes, on the left, with another relation.

// That both sides have columns that tell their rows apart, which retractions need.
absl::Status check_relation_join(const Node& join, const JoinSide& left, const JoinSide& right);

// Plans the join by what `on` equates, which is in the columns `key` of the sides; what else an
// inner join asks for is left to a filter above. The rows have the columns of both sides, one after
// the other; their key is in those of the scopes. It is that of the left side, and of the right
// one's what ON does not equate with anything: of two columns that are equal one is enough.
Relation plan_relation_join(PlanBuilder& builder, const JoinSide& left, const JoinSide& right,
                            const JoinCondition& on, operators::JoinKey key, bool outer);

// Whether `on` equates a column of the right side with something of the left one.
bool is_equated(const JoinCondition& on, int right_column);

// What tells the rows of a join of two sides with keys apart, in the columns of both.
std::vector<int> key_of_join(const JoinSide& left, const JoinSide& right, const JoinCondition& on);

// When a pair of rows happened is not known: no column says it.
void forget_times(Relation* joined);

}  // namespace kappa::sql
