#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/from_clause.h"

namespace kappa::sql {

// A bare name: the only form in which an argument of a function in FROM names a table or a column.
// `what` it is and how to write it are for faults.
absl::StatusOr<std::string> bare_name(const Node& arg, const std::string& what, const char* usage);

// A constant span of time; months and years, which have no fixed length, are refused. `what` it is
// and how to write it are for faults.
absl::StatusOr<int64_t> constant_span_us(const Node& arg, const SourceText& text,
                                         const std::string& what, const char* usage);

// When the rows of a relation that sums up windows happened, its window_time; null: it sums up
// none.
absl::StatusOr<operators::ExprRef> window_time_of(const Relation& relation, const Node& at);

struct BoundWindow {
  const Relation* relation = nullptr;
  WindowFrom window;
};

// A window function in FROM: a FuncCall node.
absl::StatusOr<BoundWindow> bind_window_function(const Node& call, const NestedQueries& queries,
                                                 const SourceText& text);

}  // namespace kappa::sql
