#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/serve/generations.h"
#include "engine/types/value.h"

namespace kappa::replay {

// What two sets of rows differ in, by looking for each row of the one among those of the other.
// Rows have the same columns, the first `key_columns` of which are their key.
struct NaiveDifference {
  uint64_t changed = 0;
  uint64_t added = 0;
  uint64_t removed = 0;
  std::vector<uint64_t> by_column;  // of changed rows, how many differ in it
};
NaiveDifference naive_difference(const std::vector<Row>& before, const std::vector<Row>& after,
                                 size_t key_columns);

// That a comparison says so too, of columns with these names, and gives the right samples.
void check_difference(const serve::ViewDifference& found, const std::vector<Row>& before,
                      const std::vector<Row>& after, const std::vector<std::string>& names,
                      size_t key_columns, size_t samples_max);

}  // namespace kappa::replay
