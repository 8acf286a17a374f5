#pragma once

#include <utility>
#include <vector>

#include "engine/sql/expression_tree.h"

namespace kappa::sql {

// The columns that the projection below an operator computes, equal ones once.
class Projected {
 public:
  // The expression's column.
  int add(const operators::ExprRef& expr) {
    for (size_t i = 0; i < exprs_.size(); ++i) {
      if (same_meaning(exprs_[i], expr)) return static_cast<int>(i);
    }
    exprs_.push_back(expr);
    return static_cast<int>(exprs_.size()) - 1;
  }
  std::vector<operators::ExprRef> take() { return std::move(exprs_); }

 private:
  std::vector<operators::ExprRef> exprs_;
};

}  // namespace kappa::sql
