#pragma once

#include <optional>
#include <vector>

#include "test/runtime/model/dice.h"
#include "test/runtime/model/plan.h"

namespace kappa::model {

// Makes random expressions over a relation's columns.
class ExpressionGenerator {
 public:
  ExpressionGenerator(Dice& dice, const std::vector<Field>& fields)
      : dice_(dice), fields_(fields) {}

  // `type` is one of column_types().
  ExprRef of_type(Type type, int depth);
  ExprRef predicate() { return of_type(Type::boolean(), 2); }
  // Of any type that a view may show.
  ExprRef anything();

 private:
  std::optional<ExprRef> any_column(Type type);
  ExprRef leaf(Type type);
  ExprRef boolean(int depth);
  ExprRef bigint(int depth);

  Dice& dice_;
  const std::vector<Field>& fields_;
};

// NaN, infinite, or a zero of either sign.
Value odd_double(Dice& dice);

// The types that generated relations are made of.
const std::vector<Type>& column_types();

}  // namespace kappa::model
