#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "state/table.h"

namespace kappa::operators {

// Where approx_quantile stands in a row: at the bucket that holds the value of its rank, as
// percentile_disc has it. It goes on from there when values come or go, so a change costs as many
// steps as the quantile moves by.
struct QuantileRank {
  double quantile;
  state::RowField bucket;  // null if there is no value
  state::RowField count;   // of values
  state::RowField below;   // of those in buckets below

  // After `by` values came to a bucket, or went from it if it is below zero. `buckets` are those
  // that have values, in their order: it has an iterator's times() and number(), end(), and find(),
  // which gives the first that is not below a number.
  template <typename Buckets>
  void move(std::byte* row, int32_t changed, int64_t by, const Buckets& buckets) const;
  // Gives a row what another one has.
  void copy(std::byte* to, const std::byte* from) const;
};

template <typename Buckets>
void QuantileRank::move(std::byte* row, int32_t changed, int64_t by, const Buckets& buckets) const {
  using state::Table;
  int32_t& at = Table::get<int32_t>(row, bucket);
  int64_t& values = Table::get<int64_t>(row, count);
  int64_t& values_below = Table::get<int64_t>(row, below);
  const bool first = values == 0;
  values += by;
  Table::set_null(row, bucket, values == 0);
  if (values == 0) {
    at = 0;
    values_below = 0;
    return;
  }
  if (first) at = changed;
  if (changed < at) values_below += by;
  const auto rank = std::clamp<int64_t>(
      static_cast<int64_t>(std::ceil(quantile * static_cast<double>(values))), 1, values);
  const auto end = buckets.end();
  auto entry = buckets.find(at);
  while (entry == end || rank <= values_below) values_below -= buckets.times(--entry);
  while (rank > values_below + buckets.times(entry)) values_below += buckets.times(entry++);
  at = buckets.number(entry);
}

inline void QuantileRank::copy(std::byte* to, const std::byte* from) const {
  using state::Table;
  Table::get<int32_t>(to, bucket) = Table::get<int32_t>(from, bucket);
  Table::set_null(to, bucket, Table::is_null(from, bucket));
  for (const state::RowField& field : {count, below}) {
    Table::get<int64_t>(to, field) = Table::get<int64_t>(from, field);
  }
}

}  // namespace kappa::operators
