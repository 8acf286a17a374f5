#include <catch2/catch.hpp>

#include "engine/cli/scenario/test_files.h"
#include "test/cli/scratch.h"

namespace kappa::cli::scenario {
namespace {

const std::string kProduct =
    "statement ok\n"
    "CREATE FOREIGN TABLE t (k text, n integer) SERVER log OPTIONS (topic 't', format 'json');\n"
    "\n"
    "statement ok\n"
    "CREATE MATERIALIZED VIEW v AS SELECT k, sum(n) AS n FROM t GROUP BY k;\n"
    "\n";
const std::string kRecords = "records t\n{\"k\": \"a\", \"n\": 1}\n{\"k\": \"b\", \"n\": 2}\n\n";

std::string failures_of(const std::string& text) {
  const Scratch scratch;
  const std::string file = scratch.file("x.slt", text);
  std::string failures = to_text(test_file(file, false));
  for (size_t at; (at = failures.find(scratch.directory() + "/")) != std::string::npos;) {
    failures.erase(at, scratch.directory().size() + 1);
  }
  return failures;
}

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a scenario that holds has no failures") {
  CHECK(failures_of(kProduct + kRecords +
                    "query TI rowsort\nSELECT k, n FROM v;\n----\na\t1\nb\t2\n") == "");
}

TEST_CASE("rows that differ are shown with the line of the query") {
  const std::string failures = failures_of(
      kProduct + kRecords + "query TI\nSELECT k, n FROM v ORDER BY k;\n----\na\t1\nb\t3\n");
  CHECK(mentions(failures, "x.slt:11: the rows differ from the expected ones"));
  CHECK(mentions(failures, "- b\t3\n  + b\t2"));
}

TEST_CASE("a query whose columns have other types is a failure") {
  CHECK(mentions(failures_of(kProduct + kRecords + "query TR\nSELECT k, n FROM v;\n----\n"),
                 "x.slt:11: the query's columns are of the types TI, not TR"));
}

TEST_CASE("a faulty query is reported with its place in the scenario file") {
  CHECK(mentions(failures_of(kProduct + kRecords + "query T\nSELECT k, m FROM v;\n----\n"),
                 "x.slt:12:11"));
}

TEST_CASE("a statement that is not accepted is reported with its place in the file") {
  const std::string failures = failures_of(
      kProduct + "statement ok\nCREATE MATERIALIZED VIEW w AS SELECT m FROM t;\n\n" + kRecords);
  CHECK(mentions(failures, "x.slt:7: x.slt:8:38"));
}

TEST_CASE("a statement error must fail, and as expected") {
  const std::string bad = "CREATE MATERIALIZED VIEW w AS SELECT m FROM t;\n\n";
  const std::string good = "CREATE MATERIALIZED VIEW w AS SELECT k FROM t;\n\n";
  CHECK(failures_of(kProduct + "statement error does not exist\n" + bad + kRecords) == "");
  CHECK(mentions(failures_of(kProduct + "statement error something else\n" + bad),
                 "the error does not match \"something else\""));
  CHECK(mentions(failures_of(kProduct + "statement error\n" + good),
                 "the statement was accepted, but an error was expected"));
  CHECK(mentions(failures_of(kProduct + "statement error (\n" + bad),
                 "the regular expression \"(\" is wrong"));
}

TEST_CASE("a statement after the first records is refused with the reason") {
  CHECK(mentions(failures_of(kProduct + kRecords +
                             "statement ok\nCREATE MATERIALIZED VIEW w AS SELECT k FROM t;\n"),
                 "the views of a scenario are one plan"));
}

TEST_CASE("a clock that goes back is refused") {
  CHECK(mentions(failures_of(kProduct + "clock 2000\n\ntick 1000\n"), "the clock never goes back"));
}

TEST_CASE("a faulty record line is reported with its own line") {
  CHECK(mentions(failures_of(kProduct + "records t\n{\"k\": \"a\"}\n{\"@kez\": 1}\n"),
                 "x.slt:9: unknown field \"@kez\""));
}

TEST_CASE("a product that is not there is reported") {
  CHECK(mentions(failures_of("product nowhere\n"), "x.slt:1: no such directory"));
}

TEST_CASE("rewriting fills in rows and keeps everything else") {
  const Scratch scratch;
  const std::string before =
      kProduct + "# first the records\n" + kRecords +
      "# then the question\n"
      "query TI rowsort\nSELECT k, n FROM v;\n----\nwrong\t1\nrows\t2\nhere\t3\n\n"
      "# one without rows\n"
      "query I\nSELECT count(*) FROM v;\n\n# the end\n";
  const std::string after = kProduct + "# first the records\n" + kRecords +
                            "# then the question\n"
                            "query TI rowsort\nSELECT k, n FROM v;\n----\na\t1\nb\t2\n\n"
                            "# one without rows\n"
                            "query I\nSELECT count(*) FROM v;\n----\n2\n\n# the end\n";
  const std::string file = scratch.file("x.slt", before);
  const FileResult result = test_file(file, true);
  INFO(to_text(result));
  CHECK(result.failures.empty());
  CHECK(result.rewritten);
  CHECK(text_of_file(file) == after);
  CHECK_FALSE(test_file(file, true).rewritten);
  CHECK(test_file(file, false).failures.empty());
}

TEST_CASE("directories are searched for scenario files") {
  const Scratch scratch;
  scratch.file("b/two.slt", "");
  scratch.file("a.slt", "");
  scratch.file("notes.md", "");
  const auto files = scenario_files({scratch.directory()});
  REQUIRE(files.ok());
  CHECK(*files == std::vector<std::string>{scratch.path("a.slt"), scratch.path("b/two.slt")});
  CHECK_FALSE(scenario_files({scratch.path("none")}).ok());
}

}  // namespace kappa::cli::scenario
