#include <catch2/catch.hpp>

#include "engine/sql/parser/parser.h"
#include "test/sql/compiled.h"

// What PostgreSQL's grammar does not take: the place, and what would be right.
namespace kappa::sql {
namespace {

struct Slip {
  const char* sql;
  const char* fault;
};

void check_all(const std::vector<Slip>& slips) {
  for (const Slip& slip : slips) {
    INFO(slip.sql);
    CHECK(faults_of(slip.sql) == Lines{slip.fault});
  }
}

}  // namespace

TEST_CASE("what other engines write and PostgreSQL's grammar does not take is told how to write") {
  check_all({
      {"CREATE OR REPLACE MATERIALIZED VIEW v AS SELECT 1",
       "1:19: syntax error at or near \"MATERIALIZED\"; write CREATE MATERIALIZED VIEW: a changed "
       "product takes effect as a whole, so there is nothing to replace"},
      {"CREATE MATERIALIZED VIEW v WITH (key = (a, b)) AS SELECT 1",
       "1:40: syntax error at or near \"(\"; write the key columns as one text: WITH (key = 'a, "
       "b')"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 1 WITH (grace = '1 s')",
       "1:45: syntax error at or near \"(\"; options stand before the query: CREATE MATERIALIZED "
       "VIEW v WITH (…) AS SELECT …"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 1 EMIT CHANGES",
       "1:45: syntax error at or near \"CHANGES\"; write WITH (emit = 'changes') between the "
       "view's name and AS"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 1 EMIT FINAL",
       "1:45: syntax error at or near \"FINAL\"; write WITH (emit = 'final') between the view's "
       "name and AS"},
      {"CREATE FOREIGN TABLE t (a int, WATERMARK FOR a AS a - interval '1') SERVER log",
       "1:42: syntax error at or near \"FOR\"; write OPTIONS (event_time 'column', "
       "out_of_orderness '5 seconds') after SERVER log"},
      {"CREATE MATERIALIZED VIEW v AS SELECT * FROM tumble(TABLE t, a, INTERVAL '1 s')",
       "1:52: syntax error at or near \"TABLE\"; write tumble(t, event_time, INTERVAL '1 minute')"},
      {"CREATE MATERIALIZED VIEW v AS SELECT * FROM t FOR SYSTEM_TIME AS OF x",
       "1:51: syntax error at or near \"SYSTEM_TIME\"; leave it out: what a row looks up is always "
       "as of its own place"},
      {"CREATE MATERIALIZED VIEW v AS SELECT first(x) IGNORE NULLS FROM t",
       "1:54: syntax error at or near \"NULLS\"; write FILTER (WHERE x IS NOT NULL) behind the "
       "aggregate"},
      {"SUBSCRIBE v",
       "1:1: syntax error at or near \"SUBSCRIBE\"; read a view with SELECT … FROM it"},
      {"CREATE STREAM s (a int)",
       "1:8: syntax error at or near \"STREAM\"; write CREATE FOREIGN TABLE … SERVER log OPTIONS "
       "(topic '…')"},
      {"CREATE SOURCE s (a int)",
       "1:8: syntax error at or near \"SOURCE\"; write CREATE FOREIGN TABLE … SERVER log OPTIONS "
       "(topic '…')"},
      {"CREATE SINK s FROM v",
       "1:8: syntax error at or near \"SINK\"; declare the output topic with CREATE FOREIGN TABLE, "
       "then INSERT INTO it SELECT …"},
  });
}

TEST_CASE("slips in the options of a table are told how to write") {
  check_all({
      {"CREATE FOREIGN TABLE t (x text) SERVER log OPTIONS (topic = 'x')",
       "1:59: syntax error at or near \"=\"; options are written without =: topic 'sales'"},
      {"CREATE FOREIGN TABLE t (x text) SERVER log OPTIONS (topic x)",
       "1:59: syntax error at or near \"x\"; option values are texts in single quotes: topic "
       "'sales'"},
      {"CREATE FOREIGN TABLE t (x text) OPTIONS (topic 'x')",
       "1:33: syntax error at or near \"OPTIONS\"; write CREATE FOREIGN TABLE name (column type, "
       "…) SERVER log OPTIONS (topic '…')"},
      {"CREATE FOREIGN TABLE t (x text)",
       "1:32: syntax error at end of input; write CREATE FOREIGN TABLE name (column type, …) "
       "SERVER log OPTIONS (topic '…')"},
  });
}

TEST_CASE("commas, parentheses and quotes that are missing or too many are named") {
  check_all({
      {"CREATE FOREIGN TABLE t (x text,) SERVER log",
       "1:32: syntax error at or near \")\"; a comma too many, or something is missing behind it"},
      {"CREATE MATERIALIZED VIEW v AS SELECT a, FROM t",
       "1:41: syntax error at or near \"FROM\"; a comma too many, or something is missing behind "
       "it"},
      {"CREATE MATERIALIZED VIEW v AS SELECT a,, b FROM t",
       "1:40: syntax error at or near \",\"; a comma too many, or something is missing behind it"},
      {"CREATE MATERIALIZED VIEW v AS SELECT (a FROM t",
       "1:41: syntax error at or near \"FROM\"; a parenthesis is not closed"},
      {"CREATE MATERIALIZED VIEW v AS SELECT a) FROM t",
       "1:39: syntax error at or near \")\"; no parenthesis is open here"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 'abc FROM t\n",
       "1:38: unterminated quoted string; a quote or comment is opened and never closed"},
      {"CREATE MATERIALIZED VIEW v AS SELECT 'abc\nFROM t",
       "1:38: unterminated quoted string; a quote or comment is opened and never closed"},
      {"CREATE MATERIALIZED VIEW v AS SELECT a /* FROM t",
       "1:40: unterminated /* comment at or near \"/* FROM t\"; a quote or comment is opened and "
       "never closed"},
      {"CREATE MATERIALIZED VIEW v AS SELECT $x$abc FROM t",
       "1:38: unterminated dollar-quoted string at or near \"$x$abc FROM t\"; a quote or comment "
       "is opened and never closed"},
  });
}

TEST_CASE("misspelt and reserved words are named") {
  check_all({
      {"SELCT 1", "1:1: syntax error at or near \"SELCT\"; did you mean SELECT?"},
      {"CREATE MATERIALISED VIEW v AS SELECT 1",
       "1:8: syntax error at or near \"MATERIALISED\"; did you mean MATERIALIZED?"},
      {"CREATE FORIEGN TABLE t (x text) SERVER log",
       "1:8: syntax error at or near \"FORIEGN\"; did you mean FOREIGN?"},
      {"CREATE MATERIALIZED VIEW v AS SELECT a FRM t",
       "1:44: syntax error at or near \"t\"; did you mean FROM?"},
      {"CREATE MATERIALIZED VIEW v AS SELECT order FROM t",
       "1:44: syntax error at or near \"FROM\"; \"order\" is a reserved word; in double quotes it "
       "can be a name"},
      {"CREATE FOREIGN TABLE t (user text) SERVER log",
       "1:25: syntax error at or near \"user\"; \"user\" is a reserved word; in double quotes it "
       "can be a name"},
  });
}

TEST_CASE("names longer than PostgreSQL keeps are refused rather than cut") {
  const std::string name(64, 'n');
  CHECK(faults_of("CREATE FOREIGN TABLE " + name + " (x text) SERVER log") ==
        Lines{"1:22: the name " + name + " is too long; names have at most 63 bytes"});
  CHECK(faults_of("CREATE FOREIGN TABLE t (\"" + name + "\" text) SERVER log") ==
        Lines{"1:25: the name \"" + name + "\" is too long; names have at most 63 bytes"});
  CHECK(faults_of("CREATE FOREIGN TABLE " + name.substr(1) + " (x text) SERVER log").empty());
}

TEST_CASE("statements too long or too deep for the parser's stack are refused") {
  std::string sum = "CREATE MATERIALIZED VIEW v AS SELECT 1";
  for (size_t i = 0; i < kStatementTokensMax; ++i) sum += "+1";
  CHECK(faults_of(sum) ==
        Lines{"1:1: the statement has 40007 words and signs; at most 20000 are allowed"});
  CHECK(faults_of(sum.substr(0, 10'000)) ==
        Lines{"1:1: the statement is nested too deeply; break it up into several views, or an "
              "expression into a CASE or an IN list"});
  const std::string parentheses(9'000, '(');
  CHECK_FALSE(faults_of("CREATE MATERIALIZED VIEW v AS SELECT " + parentheses).empty());
  CHECK_FALSE(faults_of("CREATE MATERIALIZED VIEW v AS SELECT " + parentheses + "1" +
                        std::string(9'000, ')'))
                  .empty());
}

TEST_CASE("statements of other kinds are refused by name") {
  check_all({
      {"CREATE TABLE t (a int)",
       "1:1: CREATE TABLE is not supported: rows live in the log; write CREATE FOREIGN TABLE … "
       "SERVER log OPTIONS (topic '…')"},
      {"CREATE TABLE t AS SELECT 1",
       "1:14: CREATE TABLE AS is not supported yet; write CREATE MATERIALIZED VIEW v AS SELECT"},
      {"CREATE VIEW v AS SELECT 1",
       "1:1: CREATE VIEW is not supported yet; write CREATE MATERIALIZED VIEW"},
      {"SELECT 1",
       "1:1: a product declares; it does not query; give the SELECT to kappa query, or write "
       "CREATE MATERIALIZED VIEW v AS SELECT …"},
      {"DROP MATERIALIZED VIEW v",
       "1:1: DROP MATERIALIZED is not supported; change the declaration itself: a product takes "
       "effect as a whole"},
      {"ALTER TABLE t ADD COLUMN a int",
       "1:1: ALTER TABLE is not supported; change the declaration itself: a product takes effect "
       "as a whole"},
      {"COMMENT ON TABLE t IS 'x'",
       "1:1: COMMENT ON is not supported yet; a product has CREATE FOREIGN TABLE, CREATE "
       "MATERIALIZED VIEW and INSERT INTO … SELECT"},
      {"UPDATE t SET a = 1",
       "1:1: UPDATE T is not supported yet; a product has CREATE FOREIGN TABLE, CREATE "
       "MATERIALIZED VIEW and INSERT INTO … SELECT"},
  });
}

}  // namespace kappa::sql
