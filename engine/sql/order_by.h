#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/select.h"

// Items of ORDER BY: `x DESC NULLS LAST`.
namespace kappa::sql {

struct SortDirection {
  bool descending = false;
  bool nulls_first = false;
};

// ASC or DESC, and where nulls come: behind the others if it ascends, before them if not, unless it
// says otherwise.
absl::StatusOr<SortDirection> read_direction(const Node& item);

// ORDER BY 2 and ORDER BY name: an output. -1: something else.
absl::StatusOr<int> ordered_output(const Node& node, const std::vector<OutputColumn>& outputs);

}  // namespace kappa::sql
