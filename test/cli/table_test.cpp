#include "engine/cli/table.h"

#include <catch2/catch.hpp>

namespace kappa::cli {

TEST_CASE("a table is aligned by characters, numbers to the right") {
  Table table;
  table.columns = {{"city"}, {"n", true}};
  table.rows = {{"Köln", "1"}, {"Rome", "1000"}, {std::nullopt, "7"}};
  CHECK(aligned(table) ==
        "city     n\n"
        "────  ────\n"
        "Köln     1\n"
        "Rome  1000\n"
        "NULL     7\n");
}

TEST_CASE("a tab-separated table tells NULL from text and keeps a row on a line") {
  Table table;
  table.columns = {{"a"}, {"b"}};
  table.rows = {{"x\ty", "line\nend"}, {std::nullopt, "\\N"}};
  CHECK(tab_separated(table) == "a\tb\nx\\ty\tline\\nend\n\\N\t\\\\N\n");
}

TEST_CASE("a table without rows shows its head") {
  Table table;
  table.columns = {{"a"}};
  CHECK(aligned(table) == "a\n─\n");
  CHECK(tab_separated(table) == "a\n");
}

}  // namespace kappa::cli
