#pragma once

#include <optional>
#include <string>

#include "engine/types/value.h"
#include "operators/expression.h"

namespace kappa::operators {

// What an expression makes of one row: a value, or the first error on the way to it.
struct Outcome {
  Value value;
  std::optional<std::string> error;
  SqlPosition position;  // of the error
};

// Interprets an expression on one row, value by value, in the plainest way there is: an oracle for
// the evaluator. Knows the functions that random_expression() uses; fails the test on others.
Outcome interpret(const Expr& expr, const Row& row);

}  // namespace kappa::operators
