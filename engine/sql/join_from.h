#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/from_clause.h"
#include "engine/sql/nested_queries.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// JOINs in the FROM of a view: which kind of join each is, and its nodes. The result reads like a
// query in FROM, with the columns of both sides under their names.
//
//   left append-only, right a relation, equality on its full key    → lookup
//   left a relation that changes                                    → relation join
//   both append-only                                                → interval join
//
// A join by time takes rows until they are `grace_us` below the watermark.
//
// Only columns whose names the SELECT has somewhere come through the join, and keys and event
// times.
absl::StatusOr<FromClause> bind_join(const Node& join, const Node& select, NestedQueries& queries,
                                     const SourceText& text, int64_t grace_us);

}  // namespace kappa::sql
