#pragma once

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/scope.h"
#include "engine/sql/source_text.h"
#include "operators/expression.h"

namespace kappa::sql {

// The parts of an ON.
struct JoinCondition {
  // What must be equal, over the left side's and over the right side's columns, of equal types.
  std::vector<std::pair<operators::ExprRef, operators::ExprRef>> equalities;
  operators::ExprRef right_filter;            // over the right side's columns; null: none
  std::vector<operators::ExprRef> residuals;  // the rest, over the join's columns
};

// Binds an ON over the columns of a join, of which the first `left_width` are the left side's.
absl::StatusOr<JoinCondition> bind_join_condition(const Node& condition, const SourceText& text,
                                                  const Scope& join, int left_width);

// The fault of an ON without equalities.
absl::Status needs_equality(const Node& condition);
// That two sides of a join go by one name, at `right`; OK if they do not.
absl::Status check_aliases(const Scope& left, const Scope& right, const Node& at);

// The conjunction of conditions; null if there are none.
operators::ExprRef all_of(std::vector<operators::ExprRef> conditions);

}  // namespace kappa::sql
