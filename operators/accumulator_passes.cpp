#include "operators/accumulator_passes.h"

#include <array>
#include <type_traits>
#include <vector>

#include "engine/types/invariant.h"
#include "operators/sums.h"

namespace kappa::operators {

using state::Table;

namespace {

// What each row adds to each of N counts: without a question asked, for filters are hard to
// foretell.
template <size_t N>
void add_counts(std::span<std::byte* const> rows, std::span<const CountedRows> counts,
                const std::array<const uint8_t*, kCountsTogetherMax>& takes, const int8_t* signs) {
  std::array<uint32_t, N> offsets;
  for (size_t n = 0; n < N; ++n) offsets[n] = counts[n].field.offset;
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t sign = signs != nullptr ? signs[i] : 1;
    for (size_t n = 0; n < N; ++n) {
      *reinterpret_cast<int64_t*>(rows[i] + offsets[n]) += takes[n][i] * sign;
    }
  }
}

constexpr std::array<uint8_t, kPassRowsMax> all_ones() {
  std::array<uint8_t, kPassRowsMax> ones{};
  for (uint8_t& one : ones) one = 1;
  return ones;
}

// -0.0 is 0.0, as where values are told apart.
template <typename T>
T as_stored(T value) {
  if constexpr (std::is_same_v<T, double>) return value + 0.0;
  return value;
}

template <typename T>
void take_extreme(std::byte* row, const state::RowField& field, T value, bool wants_less) {
  // Written in any case: whether a value is better is hard to foretell.
  T& best = Table::get<T>(row, field);
  const bool before = wants_less ? comes_before(value, best) : comes_before(best, value);
  best = Table::is_null(row, field) | before ? value : best;
  Table::set_null(row, field, false);
}

// Calls f with a std::bool_constant.
template <typename F>
void with_constant(bool value, F&& f) {
  value ? f(std::true_type()) : f(std::false_type());
}

}  // namespace

void count_together(const Batch& input, std::span<const CountedRows> counts,
                    const AccumulatorRows& rows) {
  KAPPA_INVARIANT(counts.size() <= kCountsTogetherMax && rows.rows.size() <= kPassRowsMax,
                  "so many counts and rows in a pass");
  static constexpr std::array<uint8_t, kPassRowsMax> kAll = all_ones();
  std::array<std::vector<uint8_t>, kCountsTogetherMax> scratch;
  std::array<const uint8_t*, kCountsTogetherMax> takes;
  for (size_t n = 0; n < counts.size(); ++n) {
    const auto mask = accepted_rows(input, counts[n].argument, counts[n].filter, rows.begin,
                                    rows.end, scratch[n]);
    takes[n] = mask.empty() ? kAll.data() : mask.data();
  }
  const int8_t* const signs = input.signs.empty() ? nullptr : input.signs.data() + rows.begin;
  switch (counts.size()) {
    case 1:
      return add_counts<1>(rows.rows, counts, takes, signs);
    case 2:
      return add_counts<2>(rows.rows, counts, takes, signs);
    case 3:
      return add_counts<3>(rows.rows, counts, takes, signs);
    default:
      return add_counts<4>(rows.rows, counts, takes, signs);
  }
}

void take_numbers(const Batch& input, const NumberFields& fields, const AccumulatorRows& rows) {
  const Column& argument = *input.columns[static_cast<size_t>(fields.argument)];
  dispatch_physical(argument.type().physical(), [&]<typename T>() {
    if constexpr (!std::is_same_v<T, StringRef>) {
      const auto values = argument.values<T>();
      with_constant(fields.sum.has_value(), [&](auto sums) {
        with_constant(fields.min.has_value(), [&](auto keeps_least) {
          with_constant(fields.max.has_value(), [&](auto keeps_most) {
            rows.for_each(input, fields.argument, fields.filter,
                          [&](std::byte* row, size_t i, int sign) {
                            const T value = as_stored(values[i]);
                            if constexpr (sums) {
                              add_to_sum(Table::get<int128>(row, *fields.sum),
                                         static_cast<int128>(value) * sign);
                            }
                            if constexpr (keeps_least) take_extreme(row, *fields.min, value, true);
                            if constexpr (keeps_most) take_extreme(row, *fields.max, value, false);
                          });
          });
        });
      });
    }
  });
}

}  // namespace kappa::operators
