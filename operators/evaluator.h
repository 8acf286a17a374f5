#pragma once

#include <memory>
#include <vector>

#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "operators/expression.h"
#include "operators/functions.h"

namespace kappa::operators {

// An expression compiled into column kernels. Evaluates a column at a time; branches of CASE,
// COALESCE, AND and OR see only the rows that need them, so an error in a branch not taken is none.
// One thread per instance.
class Evaluator {
 public:
  explicit Evaluator(ExprRef expr);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  const Type& type() const;
  // The value of the expression for each row of `batch`. A row in `errors` (ascending, one error a
  // row, the first) holds NULL. A bare column is passed through without a copy.
  ColumnRef evaluate(const Batch& batch, Arena& arena, std::vector<RowError>* errors) const;
  // For a boolean expression: the rows for which it is true, ascending.
  void select(const Batch& batch, Arena& arena, std::vector<uint32_t>* rows,
              std::vector<RowError>* errors) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

// The value of an expression without columns. InvalidArgument: its evaluation fails.
absl::StatusOr<Value> evaluate_constant(const Expr& expr);

}  // namespace kappa::operators
