#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/join_condition.h"
#include "engine/sql/join_side.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/source_text.h"
#include "operators/plan.h"

namespace kappa::sql {

// The lookup join: append-only rows on the left, a view on the right, by the view's whole key.

// The fault of a right side, at `at`, that cannot be looked up in.
absl::Status refuse_lookup(const Node& at, const JoinSide& right, const JoinCondition& on);

// What must be equal, in the order of the right side's key, without what ON compares with a
// constant.
struct LookupKey {
  std::vector<operators::ExprRef> left;
  std::vector<operators::ExprRef> right;
};
// Takes the equalities with the right side's key out of `on`. Further ones become conditions on
// what was found, over the columns of both sides.
absl::StatusOr<LookupKey> take_lookup_key(const Node& condition, const SourceText& text,
                                          const JoinSide& left, const JoinSide& right,
                                          JoinCondition* on);

// When the rows of the right side expire without being taken back.
absl::StatusOr<std::optional<operators::Expiry>> lookup_expiry(const Node& at,
                                                               const JoinSide& right);

}  // namespace kappa::sql
