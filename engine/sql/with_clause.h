#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"

namespace kappa::sql {

// A table of WITH: name AS (query).
struct CommonTableClause {
  std::string name;
  const Node* node = nullptr;
  const Node* query = nullptr;  // a SelectStmt
};

// The tables of a statement's WITH, in order; none if it has no WITH. What they ask for beyond a
// name and a SELECT is refused.
absl::StatusOr<std::vector<CommonTableClause>> read_with_clause(const Node& statement);

}  // namespace kappa::sql
