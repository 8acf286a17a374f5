#include <catch2/catch.hpp>

#include "engine/cli/scenario/scenario.h"

namespace kappa::cli::scenario {
namespace {

std::string fault_of(const std::string& text, bool fill_in = false) {
  const auto scenario = parse_scenario("x.slt", text, fill_in);
  return scenario.ok() ? "" : std::string(scenario.status().message());
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a scenario is read step by step with its lines") {
  const auto scenario = parse_scenario("x.slt",
                                       "# comment\n"
                                       "statement ok\n"
                                       "CREATE X;\n"
                                       "\n"
                                       "records t partition=2\n"
                                       "{\"a\": 1}\n"
                                       "# inside\n"
                                       "{\"a\": 2}\n"
                                       "\n"
                                       "query IT rowsort\n"
                                       "SELECT a,\n"
                                       "  b FROM v;\n"
                                       "----\n"
                                       "1\tx\n"
                                       "2\ty\n"
                                       "\n"
                                       "tick 1970-01-01T00:00:01Z\n"
                                       "complete\n",
                                       false);
  REQUIRE(scenario.ok());
  REQUIRE(scenario->steps.size() == 5);
  const auto& statement = std::get<StatementStep>(scenario->steps[0].what);
  CHECK(statement.sql == "CREATE X;");
  CHECK(statement.sql_line == 3);
  CHECK_FALSE(statement.error);
  const auto& records = std::get<RecordsStep>(scenario->steps[1].what);
  CHECK(records.topic == "t");
  CHECK(records.partition == 2);
  REQUIRE(records.records.size() == 2);
  CHECK(records.records[1].line == 8);
  const auto& query = std::get<QueryStep>(scenario->steps[2].what);
  CHECK(query.types == "IT");
  CHECK(query.sorted);
  CHECK(query.sql == "SELECT a,\n  b FROM v;");
  CHECK(query.expected.rows == std::vector<std::string>{"1\tx", "2\ty"});
  CHECK(query.expected.first_line == 14);
  CHECK(std::get<TickStep>(scenario->steps[3].what).time.ms == 1000);
  CHECK(scenario->steps[4].line == 18);
}

TEST_CASE("an error statement keeps its regular expression, blanks inside included") {
  const auto scenario = parse_scenario("x.slt", "statement error no  such|x\nSELECT;\n", false);
  REQUIRE(scenario.ok());
  CHECK(std::get<StatementStep>(scenario->steps[0].what).error == "no  such|x");
}

TEST_CASE("a misspelt step is named with its line and the right spelling") {
  CHECK(fault_of("\nstatment ok\nX;\n") ==
        "x.slt:2: unknown step \"statment\"; did you mean \"statement\"?");
}

TEST_CASE("every faulty step of a file is reported, not only the first") {
  const std::string faults =
      fault_of("statement maybe\nX;\n\nrecords\n\ntick soon\n\nrestart now\n");
  CHECK(mentions(faults, "x.slt:1: expected \"statement ok\" or \"statement error REGEX\""));
  CHECK(mentions(faults, "x.slt:4: expected \"records TOPIC [partition=N]\""));
  CHECK(mentions(faults, "x.slt:6: expected \"tick TIME\""));
  CHECK(mentions(faults, "x.slt:8: restart takes nothing; found \"now\""));
}

TEST_CASE("a query needs types, SQL and expected rows") {
  CHECK(mentions(fault_of("query\nSELECT 1;\n----\n"), "a letter a column"));
  CHECK(mentions(fault_of("query IX\nSELECT 1;\n----\n"), "found \"query IX\""));
  CHECK(mentions(fault_of("query I sorted\nSELECT 1;\n----\n"), "expected rowsort or nosort"));
  CHECK(mentions(fault_of("query I\n----\n1\n"), "the SQL of the query is missing"));
  CHECK(mentions(fault_of("query I\nSELECT 1;\n"), "the expected rows are missing"));
}

TEST_CASE("expected rows may be missing when they are to be filled in") {
  CHECK(fault_of("query I\nSELECT 1;\n\nlate v\n", true).empty());
}

TEST_CASE("a topic step may ask for keys, then for an order") {
  const auto scenario = parse_scenario("x.slt", "output t @key rowsort\n----\n", false);
  REQUIRE(scenario.ok());
  const auto& step = std::get<TopicStep>(scenario->steps[0].what);
  CHECK(step.with_key);
  CHECK(step.sorted);
  CHECK(mentions(fault_of("output t key\n----\n"), "expected rowsort or nosort"));
  CHECK(mentions(fault_of("output t rowsort @key\n----\n"), "expected one name"));
}

TEST_CASE("a partition that is no number is refused") {
  CHECK(mentions(fault_of("records t partition=x\n{}\n"), "expected partition=N"));
  CHECK(mentions(fault_of("records t partition=-1\n{}\n"), "expected partition=N"));
}

TEST_CASE("steps without their text are refused") {
  CHECK(mentions(fault_of("statement ok\n\n"), "the SQL of the statement is missing"));
  CHECK(mentions(fault_of("records t\n\n"), "one JSON object a line"));
  CHECK(mentions(fault_of("file a.proto\n\n"), "the text of the file is missing"));
  CHECK(mentions(fault_of("product\n"), "expected \"product DIRECTORY\""));
  CHECK(mentions(fault_of("# nothing\n"), "the file holds no step"));
}

TEST_CASE("times are milliseconds or RFC 3339 to the millisecond") {
  CHECK(parse_log_time("1500")->ms == 1500);
  CHECK(parse_log_time("1970-01-01T00:00:01.5Z")->ms == 1500);
  CHECK_FALSE(parse_log_time("1970-01-01T00:00:01.0005Z"));
  CHECK_FALSE(parse_log_time("noon"));
}

}  // namespace kappa::cli::scenario
