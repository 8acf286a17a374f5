#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/types/type.h"

namespace kappa::sql {

// The type that a TypeName node names, by PostgreSQL's names and aliases. Types that PostgreSQL has
// and we do not are refused with the one to use instead.
absl::StatusOr<Type> bind_type(const Node& type_name);

// The type of a text such as "numeric(12,2)", as try_cast takes it. Faults stand at `at`.
absl::StatusOr<Type> bind_type_text(std::string_view text, const Node& at);

}  // namespace kappa::sql
