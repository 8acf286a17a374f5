#pragma once

#include <optional>
#include <vector>

#include "engine/types/value.h"
#include "operators/expression.h"

namespace kappa::sql {

// The key that a predicate pins: if it can be true only for rows whose key columns, the columns
// `key` of its input, equal constants, these constants in the columns' types. Such a row must still
// pass the predicate.
std::optional<Row> pinned_key(const operators::Expr& predicate, const std::vector<int>& key,
                              const std::vector<Type>& key_types);

}  // namespace kappa::sql
