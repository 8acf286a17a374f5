#pragma once

#include "absl/status/statusor.h"
#include "engine/sql/coercion.h"

namespace kappa::sql {

// A constant of the text: a number, a truth value, NULL, or a text in quotes, still untyped.
absl::StatusOr<Operand> bind_constant(const Node& constant, operators::SqlPosition position);

// INTERVAL '5' MINUTE: the literal's text with the unit that stands behind it, '5 minute'.
absl::StatusOr<Operand> with_interval_unit(const Operand& literal, const Node& type_name);

}  // namespace kappa::sql
