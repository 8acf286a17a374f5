#pragma once

#include "engine/sql/relation.h"
#include "engine/sql/scope.h"

namespace kappa::sql {

// One side of a join: rows in the plan, and what they are called. Columns of the rows behind those
// of the scope are computed for the join's key, and have no names.
struct JoinSide {
  Relation rows;
  Scope scope;
};

}  // namespace kappa::sql
