#pragma once

#include <compare>
#include <cstddef>
#include <vector>

#include "engine/types/batch.h"
#include "operators/plan.h"
#include "state/table.h"

namespace kappa::operators {

// ORDER BY over rows of a batch and rows of a table: what is less comes first. Text is ordered by
// its bytes, NaN is the largest number.
class RowOrder {
 public:
  // `field_of_column`: where a table's rows have the columns of the batch.
  RowOrder(const std::vector<TopNNode::Order>& order,
           const std::vector<state::RowField>& field_of_column);

  // How a row of a batch stands to a row of the table, and two rows of the table to each other.
  std::weak_ordering compare(const Batch& batch, size_t row, const std::byte* stored) const;
  std::weak_ordering compare(const std::byte* a, const std::byte* b) const;

 private:
  struct By {
    size_t column;
    state::RowField field;
    bool descending;
    bool nulls_first;
  };
  std::vector<By> by_;
};

}  // namespace kappa::operators
