#include "engine/sql/diagnostic.h"

#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

namespace kappa::sql {
namespace {

std::string report(const std::string& sql) {
  return std::string(to_status(compile_product({{"product.sql", sql}}, {}).diagnostics).message());
}

constexpr char kTable[] = "CREATE FOREIGN TABLE t (card text, amount numeric(12,2)) SERVER log;\n";

}  // namespace

TEST_CASE("a fault is shown with its place, its line, a caret and what would be right") {
  CHECK(report(std::string(kTable) + "CREATE MATERIALIZED VIEW v AS\n"
                                     "  SELECT card, amout FROM t;") ==
        "product.sql:3:16: error: column \"amout\" does not exist\n"
        "    SELECT card, amout FROM t;\n"
        "                 ^\n"
        "  hint: did you mean \"amount\"?");
}

TEST_CASE("columns count characters, and the caret stands below its place after tabs") {
  CHECK(report(std::string(kTable) + "CREATE MATERIALIZED VIEW v AS\n"
                                     "\tSELECT 'äöü€𝄞' AS ü,\tamout FROM t;") ==
        "product.sql:3:23: error: column \"amout\" does not exist\n"
        "  \tSELECT 'äöü€𝄞' AS ü,\tamout FROM t;\n"
        "  \t                    \t^\n"
        "  hint: did you mean \"amount\"?");
}

TEST_CASE("a syntax error behind characters of several bytes is placed by characters, too") {
  CHECK(faults_of("CREATE MATERIALIZED VIEW ünï AS SELECT 'äöü', amöunt FRM t;") ==
        Lines{"1:58: syntax error at or near \"t\"; did you mean FROM?"});
}

TEST_CASE("a syntax error at the end of the input stands behind the last character") {
  CHECK(report("CREATE MATERIALIZED VIEW v AS\n  SELECT a FROM t WHERE -- why?\n") ==
        "product.sql:2:24: error: syntax error at end of input\n"
        "    SELECT a FROM t WHERE -- why?\n"
        "                         ^");
}

TEST_CASE("lines that end with carriage return and line feed are shown without them") {
  CHECK(report("-- a comment\r\nSELCT 1;\r\n") ==
        "product.sql:2:1: error: syntax error at or near \"SELCT\"\n"
        "  SELCT 1;\n"
        "  ^\n"
        "  hint: did you mean SELECT?");
}

TEST_CASE("every faulty statement of every file is reported, in order") {
  const CompiledPlan compiled =
      compile_product({{"a.sql", "SELCT 1;\nCREATE FOREIGN TABLE t (x txt) SERVER log;"},
                       {"b.sql",
                        "CREATE FOREIGN TABLE u (x text) SERVER log;\n"
                        "CREATE MATERIALIZED VIEW v AS SELECT y FROM u;\n"
                        "CREATE MATERIALIZED VIEW w AS SELECT x FROM u;\n"
                        "CREATE MATERIALIZED VIEW w AS SELECT x FROM u"}},
                      {});
  Lines places;
  for (const Diagnostic& fault : compiled.diagnostics) {
    places.push_back(fault.file + ":" + std::to_string(fault.line) + ":" +
                     std::to_string(fault.column) + " " + fault.message);
  }
  CHECK(places == Lines{"a.sql:1:1 syntax error at or near \"SELCT\"",
                        "a.sql:2:27 type \"txt\" does not exist",
                        "b.sql:2:38 column \"y\" does not exist",
                        "b.sql:4:26 there is a view \"w\" already"});
}

TEST_CASE("a statement that refers to a faulty one is not reported again") {
  CHECK(faults_of("CREATE FOREIGN TABLE t (x txt) SERVER log;\n"
                  "CREATE MATERIALIZED VIEW a AS SELECT x FROM t;\n"
                  "CREATE MATERIALIZED VIEW b AS SELECT x FROM a;\n"
                  "INSERT INTO t SELECT x FROM b;") ==
        Lines{"1:27: type \"txt\" does not exist; did you mean \"text\"?"});
}

TEST_CASE("a statement that does not parse is a faulty one for those that refer to it") {
  CHECK(faults_of("CREATE FOREIGN TABLE \"T\" (x text;\n"
                  "CREATE MATERIALIZED VIEW a AS SELECT x FROM \"T\";") ==
        Lines{"1:33: syntax error at end of input; a parenthesis is not closed"});
}

TEST_CASE("one parenthesis or quote too many does not hide the statements after it") {
  CHECK(faults_of("CREATE FOREIGN TABLE a (x text)) SERVER log;\n"
                  "CREATE FOREIGN TABLE b (x txt) SERVER log;\n"
                  "CREATE FOREIGN TABLE c ((x text) SERVER log;\n"
                  "CREATE FOREIGN TABLE d (x txt) SERVER log;\n"
                  "foo bar;\n"
                  "CREATE FOREIGN TABLE e (x 'text) SERVER log;") ==
        Lines{"1:32: syntax error at or near \")\"; no parenthesis is open here",
              "2:27: type \"txt\" does not exist; did you mean \"text\"?",
              "3:25: syntax error at or near \"(\"; a parenthesis is not closed",
              "4:27: type \"txt\" does not exist; did you mean \"text\"?",
              "5:1: syntax error at or near \"foo\"; a statement begins with CREATE FOREIGN TABLE, "
              "CREATE MATERIALIZED VIEW or INSERT INTO",
              "6:27: unterminated quoted string at or near \"'text) SERVER log;\"; a quote or "
              "comment is opened and never closed"});
}

TEST_CASE("comments and empty statements are no statements") {
  CHECK(faults_of("").empty());
  CHECK(faults_of(" ;; -- nothing;\n/* CREATE ; /* nested ; */ */ ;").empty());
  CHECK(faults_of("\xEF\xBB\xBF-- with a byte order mark\n;").empty());
}

TEST_CASE("a text that is not UTF-8 is refused where it stops being so") {
  CHECK(faults_of("-- fine\n-- caf\xE9\n") ==
        Lines{"2:7: the text is not UTF-8 here; save the file as UTF-8"});
  CHECK(faults_of(std::string("-- a\0b", 6)) ==
        Lines{"1:5: the text is not UTF-8 here; save the file as UTF-8"});
  CHECK(faults_of("\xED\xA0\x80") ==  // a surrogate
        Lines{"1:1: the text is not UTF-8 here; save the file as UTF-8"});
}

}  // namespace kappa::sql
