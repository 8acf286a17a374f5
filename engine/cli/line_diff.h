#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kappa::cli {

// A line of one text or of both.
struct DiffLine {
  enum class Side : char { kBoth = ' ', kBefore = '-', kAfter = '+' } side = Side::kBoth;
  std::string text;
  bool operator==(const DiffLine&) const = default;
};

// How two texts differ, line by line, with as many lines in common as there can be (by their
// longest common subsequence). For texts of statements: it takes time and memory by the product of
// their lines. Spaces at the end of a line do not count.
std::vector<DiffLine> line_diff(std::string_view before, std::string_view after);

}  // namespace kappa::cli
