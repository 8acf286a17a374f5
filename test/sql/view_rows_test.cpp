// What a condition of an export may be, and where its faults are.

#include "engine/sql/view_rows.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/sql/compiled.h"

namespace kappa::sql {
namespace {

const operators::Plan& shop() {
  static const auto& plan = *new operators::Plan(plan_of(
      "CREATE FOREIGN TABLE t (id bigint, a integer, b text, \"odd \"\" name\" text) SERVER log; "
      "CREATE MATERIALIZED VIEW facts AS SELECT id, a, b, \"odd \"\" name\" FROM t; "
      "CREATE MATERIALIZED VIEW per_b AS SELECT b, count(*) AS n FROM t GROUP BY b;"));
  return plan;
}

CompiledQuery rows_of(const std::string& condition, const std::vector<std::string>& columns = {}) {
  return compile_view_rows(shop(), shop().find_view("facts"), columns, {"where", condition});
}

std::vector<std::string> columns_of(const CompiledQuery& query) {
  std::vector<std::string> names;
  for (const operators::Field& field : query.query->root->schema) names.push_back(field.name);
  return names;
}

// "1:6", and the line that it is in.
std::string place_of_fault(const std::string& condition) {
  const CompiledQuery query = rows_of(condition);
  REQUIRE(query.diagnostics.size() == 1);
  const Diagnostic& fault = query.diagnostics[0];
  INFO(to_text(fault));
  CHECK(fault.file == "where");
  CHECK(condition.find(fault.source_line) != std::string::npos);
  return absl::StrCat(fault.line, ":", fault.column);
}

}  // namespace

TEST_CASE("the rows of a view are those of its columns, in the order asked") {
  CHECK(columns_of(rows_of("")) == std::vector<std::string>{"id", "a", "b", "odd \" name"});
  CHECK(columns_of(rows_of(" \n", {"odd \" name", "id"})) ==
        std::vector<std::string>{"odd \" name", "id"});
}

TEST_CASE("a condition may be whatever stands behind WHERE") {
  for (const char* condition :
       {"a > 10", "a > 10 -- big", "(a = 1 OR b = 'x;y') AND \"odd \"\" name\" IS NULL",
        "a > 1 /* ORDER BY */", "b LIKE '%) ORDER BY 1 --'", "a\n>\n1", "true;"}) {
    INFO(condition);
    const CompiledQuery query = rows_of(condition, {"id"});
    REQUIRE(query.ok());
    CHECK(columns_of(query) == std::vector<std::string>{"id"});
    CHECK(query.query->views == std::vector{shop().find_view("facts")});
  }
}

TEST_CASE("a condition that is more than one is refused where the rest begins") {
  CHECK(place_of_fault("1=1) ORDER BY a --") == "1:4");
  CHECK(place_of_fault("1=1 ORDER BY a") == "1:5");
  CHECK(place_of_fault("true GROUP BY a") == "1:15");
  CHECK(place_of_fault("true\nLIMIT 3") == "2:1");
  CHECK(place_of_fault("true OFFSET 3") == "1:6");
  CHECK(place_of_fault("true FETCH FIRST ROW WITH TIES") == "1:1");
  CHECK(place_of_fault("true FOR UPDATE") == "1:1");
  CHECK(place_of_fault("true WINDOW w AS (ORDER BY a)") == "1:6");
  CHECK(place_of_fault("true HAVING a > 1") == "1:6");
  CHECK(place_of_fault("true UNION SELECT * FROM per_b") == "1:1");
  CHECK(place_of_fault("true EXCEPT SELECT 1, 1, 'x', 'y'") == "1:1");
  CHECK(place_of_fault("true; SELECT 1") == "1:7");
  CHECK(place_of_fault("true /*") == "1:6");
  CHECK(place_of_fault("'") == "1:1");
}

TEST_CASE("faults of a condition have their place in it") {
  CHECK(place_of_fault("a >") == "1:4");
  CHECK(place_of_fault("a > 1 AND\n  c = 2") == "2:3");
  CHECK(place_of_fault("ä = 1 AND a = b") == "1:1");
  CHECK(place_of_fault("count(*) > 1") == "1:1");
  CHECK(place_of_fault("a IN (SELECT n FROM per_b)") == "1:1");
  CHECK(place_of_fault("a") == "1:1");
  CHECK(place_of_fault("-- nothing") == "1:1");
}

}  // namespace kappa::sql
