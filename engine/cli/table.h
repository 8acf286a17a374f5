#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kappa::cli {

// Rows of text under a head.
struct Table {
  struct Head {
    std::string name;
    bool right = false;  // numbers
  };
  std::vector<Head> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // nullopt: NULL
};

// For people: aligned columns under a line, NULL as NULL. Widths count characters.
std::string aligned(const Table& table);
// For programs: a line of names, then a line a row, cells separated by one tab. Tabs, line ends and
// backslashes inside of a cell become \t, \n, \r and \\; NULL is \N.
std::string tab_separated(const Table& table);
// `text` so that it stays on its line and a terminal takes nothing in it for a command.
std::string on_one_line(const std::string& text);
// The one that fits where standard output goes: aligned on a terminal, tab-separated elsewhere.
void print_table(const Table& table);

}  // namespace kappa::cli
