#include "engine/cli/line_diff.h"

#include <catch2/catch.hpp>

namespace kappa::cli {
namespace {

std::string diff(const std::string& before, const std::string& after) {
  std::string text;
  for (const DiffLine& line : line_diff(before, after)) {
    text += static_cast<char>(line.side) + line.text + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("lines in common stay, what goes stands before what comes") {
  CHECK(diff("a\nb\nc", "a\nB\nc\nd") == " a\n-b\n+B\n c\n+d\n");
  CHECK(diff("a\nb\nc\nd", "c\nd\na\nb") == "-a\n-b\n c\n d\n+a\n+b\n");
}

TEST_CASE("a text that was not there is all new, and spaces at a line's end do not count") {
  CHECK(diff("", "a\n\nb") == "+a\n+\n+b\n");
  CHECK(diff("a", "") == "-a\n");
  CHECK(diff("a  \r\nb", "a\nb\t") == " a\n b\n");
}

}  // namespace kappa::cli
