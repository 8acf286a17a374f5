#pragma once

#include "engine/runtime/explain.h"
#include "engine/sql/query.h"

namespace kappa::runtime {

// How a query is run: its stages, down to the views that it reads, and how these are made. For
// EXPLAIN of a view's name, the view alone.
ExplainedNode explain_query(const sql::BoundQuery& query, const operators::Plan& plan);

}  // namespace kappa::runtime
