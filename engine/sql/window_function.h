#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/from_clause.h"

namespace kappa::sql {

struct BoundWindow {
  const Relation* relation = nullptr;
  TumbleFrom tumble;
};

// A window function in FROM: a FuncCall node.
absl::StatusOr<BoundWindow> bind_window_function(const Node& call, const NestedQueries& queries,
                                                 const SourceText& text);

}  // namespace kappa::sql
