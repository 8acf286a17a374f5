#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "operators/expression.h"

namespace kappa::operators {

// Compiles the conditions of rules that arrive while a plan runs: the front end makes one for each
// place where rules apply. Immutable.
class RuleCompiler {
 public:
  virtual ~RuleCompiler() = default;
  // The condition as a boolean expression over the columns of the rows that the rules apply to.
  // InvalidArgument: "1:8: column "amout" does not exist; did you mean …". The same text has the
  // same result, whenever and wherever it is compiled.
  virtual absl::StatusOr<ExprRef> compile(std::string_view condition) const = 0;
};

}  // namespace kappa::operators
