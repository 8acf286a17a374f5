#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/types/batch.h"
#include "state/table.h"

// The rows of a batch as an accumulator sees them. Internal to the accumulators.
namespace kappa::operators {

// Rows [begin, end) of the input whose `argument` (-1: none) is not null and whose `filter` (-1:
// none) is true: a byte each, 1 or 0. Empty: all. May lie in `scratch`.
std::span<const uint8_t> accepted_rows(const Batch& input, int argument, int filter, size_t begin,
                                       size_t end, std::vector<uint8_t>& scratch);

// Rows [begin, end) of a batch, and the state rows of their groups.
struct AccumulatorRows {
  size_t begin;
  size_t end;
  std::span<const state::RowId> ids;
  std::span<std::byte* const> rows;
  state::Table& table;
  std::vector<uint8_t>& scratch;
  std::span<const int64_t> numbers;  // of the rows, if their accumulators are numbered

  // Calls f(row bytes, i, sign) for each input row i with an argument for which the filter is true.
  template <typename F>
  void for_each(const Batch& input, int argument, int filter, F&& f) const {
    const auto mask = accepted_rows(input, argument, filter, begin, end, scratch);
    const bool signs = !input.signs.empty();
    if (mask.empty() && !signs) {
      for (size_t i = begin; i < end; ++i) f(rows[i - begin], i, 1);
      return;
    }
    for (size_t i = begin; i < end; ++i) {
      if (mask.empty() || mask[i - begin]) f(rows[i - begin], i, signs ? input.signs[i] : 1);
    }
  }

  // The state row of input row i.
  state::RowId id(size_t i) const { return ids[i - begin]; }
  int64_t number(size_t i) const { return numbers[i - begin]; }
};

// SQL's order of two values, NaN the largest.
template <typename T>
bool comes_before(const T& a, const T& b) {
  return a < b;
}
template <>
inline bool comes_before(const double& a, const double& b) {
  return a < b || (a == a && b != b);
}

}  // namespace kappa::operators
