#pragma once

#include <string_view>
#include <vector>

#include "operators/grouped_rows.h"

namespace kappa::operators {

// Rows of a table on their way out, as results at a moment; built one at a time.
class Emission {
 public:
  // The arena lives until the epoch ends.
  Emission(const Schema& schema, Arena& arena);

  bool empty() const { return batch_.rows == 0; }
  void add(const GroupedRows& from, const std::byte* row, RowPlace place, int8_t sign,
           std::string_view tie);
  // Without `changelog` the signs are left out.
  Batch finish(bool changelog);

 private:
  std::vector<Column> columns_;
  Batch batch_;
  Arena& arena_;
};

}  // namespace kappa::operators
