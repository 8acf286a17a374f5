#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::sql {

// Single-character insertions, deletions, replacements and swaps of neighbours that turn `a` into
// `b`, ignoring case. O(|a| * |b|).
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate most like `name`, if one is alike enough to have been meant.
std::optional<std::string> closest(std::string_view name,
                                   const std::vector<std::string>& candidates);

// `did you mean "amount"?`, or, if nothing is alike, `<otherwise> a, b, c` (by default: `there are
// a, b, c`); empty without candidates.
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates,
                       std::string_view otherwise = {});

}  // namespace kappa::sql
