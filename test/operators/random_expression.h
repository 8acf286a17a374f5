#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "operators/expression.h"

namespace kappa::operators {

// Makes random expressions and rows from a seed. Every expression has a position of its own.
class RandomExpressions {
 public:
  explicit RandomExpressions(uint64_t seed) : random_(seed) {}

  // The columns that expressions refer to.
  static const std::vector<Type>& column_types();
  // Up to `rows_max` rows of them; some columns have no nulls.
  std::vector<Row> rows(size_t rows_max);

  ExprRef expression(const Type& type, int depth);
  // One of the types that expressions are made of.
  Type type();
  bool chance(int percent) { return below(100) < percent; }

 private:
  int below(int limit);
  Value value(const Type& type);
  ExprRef leaf(const Type& type);
  ExprRef boolean(int depth);
  ExprRef number(const Type& type, int depth);
  ExprRef text(int depth);
  ExprRef choice(const Type& type, int depth);
  SqlPosition position() { return {1, ++positions_}; }

  std::mt19937_64 random_;
  uint32_t positions_ = 0;
};

}  // namespace kappa::operators
