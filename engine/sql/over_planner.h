#pragma once

#include "engine/sql/from_clause.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/relation.h"
#include "engine/sql/select.h"

namespace kappa::sql {

struct Emission;

// Plans calls with OVER: a projection that computes what they and the SELECT list read, equal
// expressions once; a Reorder with emit = 'final'; a Sliding for each partition, one
// after the other; and a projection to the SELECT list.
class OverPlanner {
 public:
  // All are borrowed. The clauses of `bound` read the columns of the node given to plan().
  OverPlanner(PlanBuilder& builder, const FromClause& from, const BoundSelect& bound,
              const Emission& emission)
      : builder_(builder), from_(from), bound_(bound), emission_(emission) {}

  // `event_time`: the column of `input`. With emit = 'final' and `with_identity`, the record that
  // caused a row follows as hidden columns, which are its key.
  Relation plan(operators::NodeId input, int event_time, bool with_identity) const;

 private:
  PlanBuilder& builder_;
  const FromClause& from_;
  const BoundSelect& bound_;
  const Emission& emission_;
};

}  // namespace kappa::sql
