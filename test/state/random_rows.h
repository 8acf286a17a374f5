#pragma once

#include <random>
#include <string>
#include <vector>

#include "engine/types/column.h"
#include "engine/types/value.h"

namespace kappa::state {

// Random values for property tests: few different ones, so that keys meet again, and those that
// tend to break things (nulls, empty and long strings, zero bytes, both zeros, NaN, extremes).
class RandomRows {
 public:
  explicit RandomRows(uint64_t seed) : engine_(seed) {}

  // Uniform in [0, n).
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine_); }
  bool chance(double p) { return std::bernoulli_distribution(p)(engine_); }
  Value value(Type type, double null_chance = 0.1);
  Row row(const std::vector<Type>& types);

 private:
  std::string text();
  std::mt19937_64 engine_;
};

// Rows as columns, with nulls only where there are some. Strings point into `rows`.
std::vector<ColumnRef> to_columns(const std::vector<Type>& types, const std::vector<Row>& rows);

// One text for a row, for messages and comparison.
std::string to_text(const Row& row);

}  // namespace kappa::state
