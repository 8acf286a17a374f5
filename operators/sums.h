#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/types/column.h"

// What is common to sums of integers and decimals, and averages of them, wherever they are kept.
namespace kappa::operators {

// A sum that no longer fits 128 bits. It sticks: what is added to it is lost anyway.
inline constexpr int128 kSumOverflowed =
    static_cast<int128>(static_cast<unsigned __int128>(1) << 127);

inline void add_to_sum(int128& sum, int128 value) {
  if (sum == kSumOverflowed) return;
  if (__builtin_add_overflow(sum, value, &sum)) sum = kSumOverflowed;
}

// Two's complement, so that what is added can be taken back whatever came between.
inline void add_wrapping(int128& sum, int128 value) {
  sum = static_cast<int128>(static_cast<unsigned __int128>(sum) +
                            static_cast<unsigned __int128>(value));
}

// Append a result to a column of the result's type. A sum of no values is NULL, and so is what does
// not fit the type.
void append_number(Column& column, std::optional<int128> value);
void append_double(Column& column, std::optional<double> value);
void append_sum(Column& column, int128 sum, int64_t count);
void append_average(Column& column, int128 sum, int64_t count, int argument_scale);
// The same for many at once, as a column of type `result`.
Column sums_column(Type result, std::span<const int128> sums, std::span<const int64_t> counts);
Column averages_column(Type result, std::span<const int128> sums, std::span<const int64_t> counts,
                       int argument_scale);

}  // namespace kappa::operators
