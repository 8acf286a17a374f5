#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/from_clause.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/relation.h"
#include "engine/sql/select.h"

namespace kappa::sql {

struct Emission;

// Plans GROUP BY and aggregates: a projection that computes what the Aggregate reads, equal
// expressions once; the Aggregate; and a projection to the SELECT list.
class GroupPlanner {
 public:
  // All are borrowed. The clauses of `bound` read the columns of the node given to plan(), but for
  // those of the window, which keep their places in the FROM.
  GroupPlanner(const SourceText& text, PlanBuilder& builder, const FromClause& from,
               const BoundSelect& bound, const Emission& emission)
      : text_(text), builder_(builder), from_(from), bound_(bound), emission_(emission) {}

  // `event_time` of the rows, for a window; null without.
  absl::StatusOr<Relation> plan(operators::NodeId input,
                                const operators::ExprRef& event_time) const;
  // The key of the grouped rows, or why they have none. Depends on nothing that plan() makes.
  void find_key(Relation* relation) const;

 private:
  bool is_window_column(const operators::ExprRef& expr) const;
  absl::Status check_session() const;
  absl::Status check_aggregates() const;
  absl::StatusOr<std::vector<operators::ExprRef>> grouped_row(
      const operators::AggregateNode& aggregate) const;
  void describe_columns(Relation* relation) const;

  const SourceText& text_;
  PlanBuilder& builder_;
  const FromClause& from_;
  const BoundSelect& bound_;
  const Emission& emission_;
};

}  // namespace kappa::sql
