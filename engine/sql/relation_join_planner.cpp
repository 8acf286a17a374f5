#include "engine/sql/relation_join_planner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::ExprRef;

namespace {

absl::Status check_key(const Node& at, const JoinSide& side, const char* hint) {
  if (side.rows.key && !side.rows.source) return absl::OkStatus();
  if (!side.rows.no_key_reason.empty()) {
    return fault(side.rows.no_key_offset, side.rows.no_key_reason, side.rows.no_key_hint);
  }
  return fault(at,
               absl::StrCat("a join of rows that change needs a key of each side, and \"",
                            side.rows.name, "\" has none"),
               hint);
}

}  // namespace

absl::Status check_relation_join(const Node& join, const JoinSide& left, const JoinSide& right) {
  const char* hint = "make a view of it with a key, and join that: WITH (key = '…')";
  KAPPA_RETURN_IF_ERROR(check_key(*join.child("larg"), left, hint));
  return check_key(*join.child("rarg"), right, hint);
}

bool is_equated(const JoinCondition& on, int right_column) {
  return std::any_of(on.equalities.begin(), on.equalities.end(), [&](const auto& pair) {
    return is_column(pair.second) && pair.second->column == right_column;
  });
}

std::vector<int> key_of_join(const JoinSide& left, const JoinSide& right, const JoinCondition& on) {
  std::vector<int> key = *left.rows.key;
  for (int column : *right.rows.key) {
    if (!is_equated(on, column)) key.push_back(left.scope.size() + column);
  }
  return key;
}

Relation plan_relation_join(PlanBuilder& builder, const JoinSide& left, const JoinSide& right,
                            const JoinCondition& on, operators::JoinKey key, bool outer) {
  const int left_names = left.scope.size();
  Relation rows;
  rows.columns = left.rows.columns;
  rows.changelog = true;
  rows.key = key_of_join(left, right, on);
  operators::RelationJoinNode op{.key = std::move(key),
                                 .outer = outer,
                                 .left_id = *left.rows.key,
                                 .right_id = *right.rows.key,
                                 .condition = nullptr};
  if (outer && !on.residuals.empty()) {
    // Behind the left side's names are the columns that were computed for its key.
    const auto computed = static_cast<int>(left.rows.columns.size()) - left_names;
    op.condition = move_columns(all_of(on.residuals), [&](int column) {
      return column < left_names ? column : column + computed;
    });
  }
  rows.node = builder.relation_join(left.rows.node, right.rows.node, std::move(op));
  return rows;
}

void forget_times(Relation* joined) {
  for (RelationColumn& column : joined->columns) column.role = TimeRole::kNone;
}

}  // namespace kappa::sql
