#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "test/runtime/model/aggregates.h"
#include "test/runtime/model/plan.h"

namespace kappa::model {

// The first rows of each key, by keeping everything and sorting it whenever something changes.
class Rankings {
 public:
  struct Step {
    int sign;
    Row row;
  };

  // What becomes of the first rows of the row's key when it comes or goes.
  std::vector<Step> apply(const TopNNode& op, int sign, const Row& given);

 private:
  // A row, and the how many-eth it was to come.
  using Arrived = std::pair<int64_t, Row>;

  static std::vector<Arrived> first_rows(const TopNNode& op, std::vector<Arrived> rows);

  std::map<Row, std::vector<Arrived>, RowLess> rows_;  // by key, as they came
  int64_t arrivals_ = 0;
};

}  // namespace kappa::model
