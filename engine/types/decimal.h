#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/types/column.h"

namespace kappa {

// 10^exponent for 0 <= exponent <= 38.
int128 power_of_ten(int exponent);
// value * 10^(to - from), half up (away from zero) where digits go; nullopt if |result| >= 10^38.
std::optional<int128> rescale(int128 value, int from_scale, int to_scale);
// "-12.50" and the like, optionally with exponent, exactly, to `scale` digits (more digits: half
// up, as PostgreSQL casts). nullopt: not a number, or 38 digits do not suffice.
std::optional<int128> parse_decimal(std::string_view text, int scale);
// As parse_decimal, but nothing is rounded: nullopt too if a digit other than 0 would be lost.
std::optional<int128> parse_decimal_exactly(std::string_view text, int scale);
// Whether `text` is written as parse_decimal takes it, whatever its size.
bool is_decimal(std::string_view text);
// Whether |value| fits `precision` digits.
bool fits_precision(int128 value, int precision);
// With `scale` digits after the point.
std::string decimal_to_text(int128 value, int scale);

}  // namespace kappa
