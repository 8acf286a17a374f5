#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

namespace kappa::sql {
namespace {

// Views 4 (per_b: b text, n bigint, s numeric), 6 (facts: id bigint, b text, a integer, at) and
// 9 (minutes: window_start, b, n) over a topic.
const operators::Plan& shop() {
  static const auto& plan = *new operators::Plan(plan_of(
      "CREATE FOREIGN TABLE t (id bigint PRIMARY KEY, at timestamptz, a integer, b text, n "
      "numeric(12,2)) SERVER log OPTIONS (event_time 'at'); "
      "CREATE MATERIALIZED VIEW per_b AS SELECT b, count(*) AS n, sum(n) AS s FROM t GROUP BY b; "
      "CREATE MATERIALIZED VIEW facts AS SELECT id, b, a, at FROM t; "
      "CREATE MATERIALIZED VIEW minutes AS SELECT window_start, b, count(*) AS n FROM tumble(t, "
      "at, "
      "INTERVAL '1 minute') GROUP BY window_start, b;"));
  return plan;
}

operators::NodeId view(const char* name) {
  const operators::NodeId id = shop().find_view(name);
  REQUIRE(id != operators::kNoNode);
  return id;
}

std::string scan(const char* name, const std::string& rest) {
  return "scan " + std::to_string(view(name)) + " " + rest;
}

Lines lines(const std::string& sql) {
  return query_lines(sql, shop());
}

struct Slip {
  const char* query;
  const char* fault;
};

void refuse_all(const std::vector<Slip>& slips) {
  for (const Slip& slip : slips) {
    INFO(slip.query);
    CHECK(query_faults(slip.query, shop()) == Lines{slip.fault});
  }
}

// What a query's scan is pinned to; empty: it is not.
std::string key_of(const std::string& sql) {
  for (const std::string& line : lines(sql)) {
    const size_t key = line.find(" key (");
    if (key != std::string::npos) return line.substr(key + 6, line.find(") =>") - key - 6);
  }
  return "";
}

}  // namespace

TEST_CASE("a query scans only the columns that it reads") {
  CHECK(lines("SELECT a AS x FROM facts WHERE b = 'y'") ==
        Lines{
            "project #1::integer => x integer",
            "  filter \"=\"<text,text:boolean>(#0::text, 'y'::text) => b text, a integer",
            "    " + scan("facts", "[1,2] => b text, a integer"),
        });
  CHECK(lines("SELECT count(*) FROM facts") == Lines{
                                                   "project #0::bigint => count bigint",
                                                   "  aggregate by [] count => count bigint",
                                                   "    project  => ",
                                                   "      " + scan("facts", "[] => "),
                                               });
}

TEST_CASE("a WHERE that pins the whole key reads one row") {
  CHECK(key_of("SELECT * FROM facts WHERE id = 5") == "5::bigint");
  CHECK(key_of("SELECT a FROM facts WHERE a > 3 AND 5 = id") == "5::bigint");
  CHECK(key_of("SELECT a FROM facts WHERE id = 5.0") == "5::bigint");
  CHECK(key_of("SELECT a FROM facts WHERE id = '5'") == "5::bigint");
  CHECK(key_of("SELECT a FROM facts WHERE id = 2 + 3") == "5::bigint");
  CHECK(key_of("SELECT b FROM per_b WHERE b = 'x'") == "x::text");
  CHECK(key_of("SELECT n FROM minutes WHERE b = 'x' AND window_start = '2018-04-01T00:01:00Z'") ==
        "2018-04-01T00:01:00Z::timestamp with time zone, x::text");

  CHECK(key_of("SELECT a FROM facts WHERE id > 5").empty());
  CHECK(key_of("SELECT a FROM facts WHERE id = 5 OR a = 3").empty());
  CHECK(key_of("SELECT a FROM facts WHERE NOT id = 5").empty());
  CHECK(key_of("SELECT a FROM facts WHERE id = a").empty());
  CHECK(key_of("SELECT a FROM facts WHERE id = NULL").empty());
  CHECK(key_of("SELECT a FROM facts WHERE id + 1 = 5").empty());
  CHECK(key_of("SELECT a FROM facts WHERE id = 1e30").empty());
  // Different keys may be equal as doubles.
  CHECK(key_of("SELECT a FROM facts WHERE id = '5'::double precision").empty());
  CHECK(key_of("SELECT n FROM minutes WHERE b = 'x'").empty());
}

TEST_CASE("groups, HAVING, ORDER BY and LIMIT of a query") {
  CHECK(
      lines("SELECT b, sum(n) AS total FROM minutes WHERE n > 1 GROUP BY b HAVING count(*) > 3 "
            "ORDER BY total DESC, 1, min(n) NULLS FIRST LIMIT 10 OFFSET 2") ==
      Lines{
          "project #0::text, #1::numeric(38,0) => b text, total numeric(38,0)",
          "  limit 10 offset 2 => b text, total numeric(38,0), order_key bigint",
          "    sort #1 desc nulls first, #0 asc nulls last, #2 asc nulls first => b text, total "
          "numeric(38,0), order_key bigint",
          "      project #0::text, #1::numeric(38,0), #3::bigint => b text, total numeric(38,0), "
          "order_key bigint",
          "        filter \">\"<bigint,bigint:boolean>(#2::bigint, '3'::bigint) => b text, sum "
          "numeric(38,0), count bigint, min bigint",
          "          aggregate by [0] sum #1 count min #1 => b text, sum numeric(38,0), count "
          "bigint, min bigint",
          "            project #0::text, #1::bigint => argument text, argument bigint",
          "              filter \">\"<bigint,bigint:boolean>(#1::bigint, '1'::bigint) => b text, n "
          "bigint",
          "                " + scan("minutes", "[1,2] => b text, n bigint"),
      });
  CHECK(lines("SELECT avg(a) FILTER (WHERE a > 0), count(DISTINCT b) FROM facts") ==
        Lines{
            "project #0::numeric(38,6), #1::bigint => avg numeric(38,6), count bigint",
            "  aggregate by [] avg #0 filter #1 count_distinct #2 => avg numeric(38,6), "
            "count_distinct bigint",
            "    project #1::integer, \">\"<integer,integer:boolean>(#1::integer, '0'::integer), "
            "#0::text => argument integer, argument boolean, argument text",
            "      " + scan("facts", "[1,2] => b text, a integer"),
        });
}

TEST_CASE("ORDER BY takes outputs by name or number, and expressions") {
  CHECK(
      lines("SELECT b FROM facts ORDER BY upper(b), a DESC NULLS LAST, b") ==
      Lines{
          "project #0::text => b text",
          "  sort #1 asc nulls last, #2 desc nulls last, #0 asc nulls last => b text, order_key "
          "text, order_key integer",
          "    project #0::text, \"upper\"<text:text>(#0::text), #1::integer => b text, order_key "
          "text, order_key integer",
          "      " + scan("facts", "[1,2] => b text, a integer"),
      });
  // An alias goes before a column.
  CHECK(lines("SELECT a AS b FROM facts ORDER BY b") ==
        Lines{
            "sort #0 asc nulls last => b integer",
            "  project #0::integer => b integer",
            "    " + scan("facts", "[2] => a integer"),
        });
}

TEST_CASE("DISTINCT, UNION and UNION ALL") {
  CHECK(lines("SELECT DISTINCT b FROM facts ORDER BY b LIMIT ALL") ==
        Lines{
            "sort #0 asc nulls last => b text",
            "  distinct => b text",
            "    project #0::text => b text",
            "      " + scan("facts", "[1] => b text"),
        });
  CHECK(lines("SELECT a FROM facts UNION ALL SELECT n FROM per_b UNION SELECT '7' ORDER BY a") ==
        Lines{
            "sort #0 asc nulls last => a bigint",
            "  distinct => a bigint",
            "    union all => a bigint",
            "      union all => a bigint",
            "        project cast(#0::integer)::bigint => a bigint",
            "          " + scan("facts", "[2] => a integer"),
            "        project #0::bigint => n bigint",
            "          " + scan("per_b", "[1] => n bigint"),
            "      project '7'::bigint => ?column? bigint",
            "        single row => ",
        });
}

TEST_CASE("a UNION of branches with an order of their own") {
  CHECK(lines("(SELECT b FROM facts ORDER BY a LIMIT 1) UNION ALL SELECT b FROM per_b") ==
        Lines{
            "union all => b text",
            "  project #0::text => b text",
            "    limit 1 offset 0 => b text, order_key integer",
            "      sort #1 asc nulls last => b text, order_key integer",
            "        project #0::text, #1::integer => b text, order_key integer",
            "          " + scan("facts", "[1,2] => b text, a integer"),
            "  project #0::text => b text",
            "    " + scan("per_b", "[0] => b text"),
        });
}

TEST_CASE("joins match equal keys of one type and filter the rest") {
  CHECK(
      lines("SELECT f.id, p.s FROM facts f JOIN per_b AS p ON f.b = p.b AND f.a < p.n WHERE f.id > "
            "3") ==
      Lines{
          "project #0::bigint, #5::numeric(38,2) => id bigint, s numeric(38,2)",
          "  filter \">\"<bigint,bigint:boolean>(#0::bigint, '3'::bigint) => id bigint, b text, a "
          "integer, b text, n bigint, s numeric(38,2)",
          "    filter \"<\"<bigint,bigint:boolean>(cast(#2::integer)::bigint, #4::bigint) => id "
          "bigint, b text, a integer, b text, n bigint, s numeric(38,2)",
          "      join [1] = [0] => id bigint, b text, a integer, b text, n bigint, s numeric(38,2)",
          "        " + scan("facts", "[0,1,2] => id bigint, b text, a integer"),
          "        " + scan("per_b", "[0,1,2] => b text, n bigint, s numeric(38,2)"),
      });
  CHECK(
      lines("SELECT f.id, p.n FROM facts f LEFT JOIN per_b p ON p.n = f.a AND p.b > 'x'") ==
      Lines{
          "project #0::bigint, #4::bigint => id bigint, n bigint",
          "  left join [2] = [1] => id bigint, a integer, join_key bigint, b text, n bigint",
          "    project #0::bigint, #1::integer, cast(#1::integer)::bigint => id bigint, a integer, "
          "join_key bigint",
          "      " + scan("facts", "[0,2] => id bigint, a integer"),
          "    filter \">\"<text,text:boolean>(#0::text, 'x'::text) => b text, n bigint",
          "      " + scan("per_b", "[0,1] => b text, n bigint"),
      });
  CHECK(
      lines(
          "SELECT p.b FROM facts a JOIN facts b ON a.id = b.id LEFT JOIN per_b p ON p.b = a.b AND "
          "b.a = p.n")
          .size() == 7);
}

TEST_CASE("subqueries in FROM and common tables") {
  CHECK(lines("SELECT x.m FROM (SELECT b, max(n) AS m FROM per_b GROUP BY b) AS x WHERE x.m > 3") ==
        Lines{
            "project #1::bigint => m bigint",
            "  filter \">\"<bigint,bigint:boolean>(#1::bigint, '3'::bigint) => b text, m bigint",
            "    project #0::text, #1::bigint => b text, m bigint",
            "      aggregate by [0] max #1 => b text, max bigint",
            "        project #0::text, #1::bigint => argument text, argument bigint",
            "          " + scan("per_b", "[0,1] => b text, n bigint"),
        });
  CHECK(
      lines("WITH q AS (SELECT b AS c FROM per_b), r AS (SELECT c FROM q) SELECT q.c FROM q JOIN r "
            "ON q.c = r.c") == Lines{
                                   "project #0::text => c text",
                                   "  join [0] = [0] => c text, c text",
                                   "    project #0::text => c text",
                                   "      " + scan("per_b", "[0] => b text"),
                                   "    project #0::text => c text",
                                   "      project #0::text => c text",
                                   "        " + scan("per_b", "[0] => b text"),
                               });
  // A common table may hide the view that it reads.
  CHECK(lines("WITH facts AS (SELECT id FROM facts) SELECT * FROM facts") ==
        Lines{
            "project #0::bigint => id bigint",
            "  project #0::bigint => id bigint",
            "    " + scan("facts", "[0] => id bigint"),
        });
}

TEST_CASE("a query without FROM, TABLE, FETCH FIRST") {
  CHECK(lines("SELECT 1 + 1 AS two, 'x', NULL") ==
        Lines{
            "project '2'::integer, 'x'::text, NULL::text => two integer, ?column? text, ?column? "
            "text",
            "  single row => ",
        });
  CHECK(lines("TABLE per_b").size() == 2);
  CHECK(lines("SELECT id FROM facts FETCH FIRST 3 ROWS ONLY")[0] ==
        "limit 3 offset 0 => id bigint");
}

TEST_CASE("a query names the views that it reads") {
  const CompiledQuery compiled = compile_query(
      {"query",
       "SELECT f.id FROM facts f JOIN (SELECT b FROM per_b) p ON f.b = p.b JOIN facts g ON "
       "g.id = f.id"},
      shop());
  REQUIRE(compiled.ok());
  CHECK(compiled.query->views == std::vector<operators::NodeId>{view("per_b"), view("facts")});
}

TEST_CASE("what a query cannot read is refused with a hint") {
  refuse_all({
      {"SELECT * FROM t",
       "1:15: \"t\" is a topic: queries read views; keep its rows with CREATE MATERIALIZED VIEW v "
       "AS "
       "SELECT … FROM t"},
      {"SELECT * FROM fcts", "1:15: view \"fcts\" does not exist; did you mean \"facts\"?"},
      {"SELECT * FROM nowhere",
       "1:15: view \"nowhere\" does not exist; there are per_b, facts, minutes"},
      {"SELECT c FROM facts", "1:8: column \"c\" does not exist; there are id, b, a, at"},
      {"SELECT 1; SELECT 2", "1:11: a query is one SELECT, here a second statement begins"},
      {"", "1:1: there is no query; write SELECT … FROM a view"},
      {"DROP TABLE t",
       "1:1: a query is a SELECT; what a product declares stands in its files and takes effect "
       "with "
       "kappa apply"},
      {"SELECT now()",
       "1:8: now() is not a function of the record, so no replay would repeat it; use a column of "
       "the source, such as its event time, or write the value itself"},
      {"SELECT $1", "1:8: a parameter ($1) is not supported yet; write the value"},
      {"SELECT", "1:1: SELECT names no column"},
      {"SELEC 1", "1:1: syntax error at or near \"SELEC\"; did you mean SELECT?"},
  });
}

TEST_CASE("EXPLAIN of a query or of a view by its name") {
  for (const char* sql : {"EXPLAIN SELECT id FROM facts", "explain Facts", "EXPLAIN \"facts\";"}) {
    INFO(sql);
    const CompiledQuery compiled = compile_query({"query", sql}, shop());
    REQUIRE(compiled.ok());
    CHECK(compiled.query->explains);
    CHECK(compiled.query->views == std::vector<operators::NodeId>{view("facts")});
  }
  refuse_all({
      {"EXPLAIN ANALYZE SELECT id FROM facts",
       "1:9: EXPLAIN ANALYZE is not supported yet; write EXPLAIN SELECT …: it shows how the query "
       "would be run"},
      {"EXPLAIN (FORMAT json) SELECT id FROM facts",
       "1:10: EXPLAIN FORMAT is not supported yet; write EXPLAIN SELECT …: it shows how the query "
       "would be run"},
      {"EXPLAIN fcts", "1:9: view \"fcts\" does not exist; did you mean \"facts\"?"},
      {"EXPLAIN DELETE FROM facts", "1:9: EXPLAIN takes a SELECT or the name of a view"},
      {"EXPLAIN SELECT nope FROM facts",
       "1:16: column \"nope\" does not exist; there are id, b, a, at"},
  });
}

TEST_CASE("joins that are not supported are refused by name") {
  refuse_all({
      {"SELECT 1 FROM facts, per_b",
       "1:22: more than one table in FROM is not supported yet; write JOIN … ON a.x = b.x"},
      {"SELECT 1 FROM facts CROSS JOIN per_b",
       "1:32: a join without a condition is not supported yet; write JOIN … ON a.x = b.x"},
      {"SELECT 1 FROM facts NATURAL JOIN per_b",
       "1:15: NATURAL JOIN is not supported yet; write ON a.x = b.x"},
      {"SELECT 1 FROM facts JOIN per_b USING (b)",
       "1:15: USING is not supported yet; write ON a.x = b.x"},
      {"SELECT 1 FROM facts f RIGHT JOIN per_b p ON f.b = p.b",
       "1:15: RIGHT JOIN is not supported yet; swap the sides and write LEFT JOIN"},
      {"SELECT 1 FROM facts f FULL JOIN per_b p ON f.b = p.b",
       "1:15: FULL JOIN is not supported yet"},
      {"SELECT 1 FROM facts JOIN facts ON true",
       "1:26: FROM has two tables \"facts\"; give one of them an alias"},
      {"SELECT 1 FROM facts f JOIN per_b p ON f.a > p.n",
       "1:43: a join needs an equality between its sides; write ON a.x = b.x, and further "
       "conditions "
       "with AND"},
      {"SELECT 1 FROM facts f LEFT JOIN per_b p ON f.b = p.b AND f.a > 3",
       "1:62: LEFT JOIN takes equalities and conditions on its right side only, so far; filter the "
       "left side in a subquery before joining"},
      {"SELECT 1 FROM facts ASOF JOIN per_b p ON facts.b = p.b",
       "1:15: ASOF JOIN is not supported yet; if \"asof\" is meant as an alias, choose another "
       "name"},
      {"SELECT 1 FROM per_b p JOIN facts ASOF JOIN minutes m ON m.b = p.b ON true",
       "1:28: ASOF JOIN is not supported yet; if \"asof\" is meant as an alias, choose another "
       "name"},
      {"SELECT b FROM facts f JOIN per_b p ON f.b = p.b",
       "1:8: column \"b\" is ambiguous; write f.b or p.b"},
      {"SELECT 1 FROM tumble(facts, at, INTERVAL '1 minute')",
       "1:15: a function in FROM is not supported yet in a query; make a view of the windows and "
       "query that"},
  });
}

TEST_CASE("clauses of a query that do not fit are refused") {
  refuse_all({
      {"SELECT id FROM facts LIMIT -1", "1:28: LIMIT must not be negative"},
      {"SELECT id FROM facts OFFSET -1", "1:29: OFFSET must not be negative"},
      {"SELECT id FROM facts LIMIT 'x'",
       "1:28: invalid input for bigint: \"x\"; expected an integer"},
      {"SELECT id FROM facts LIMIT id",
       "1:28: column \"id\" does not exist; there is no FROM that would have columns"},
      {"SELECT id FROM facts ORDER BY id FETCH FIRST 3 ROWS WITH TIES",
       "1:46: WITH TIES is not supported yet"},
      {"SELECT id FROM facts ORDER BY 7", "1:31: ORDER BY 7: the SELECT list has 1 columns"},
      {"SELECT id FROM facts ORDER BY id USING <",
       "1:31: ORDER BY … USING is not supported yet; write ASC or DESC"},
      {"SELECT id AS x, a AS x FROM facts ORDER BY x",
       "1:44: ORDER BY \"x\" is ambiguous; order by the column's number"},
      {"SELECT DISTINCT b FROM facts ORDER BY a",
       "1:39: ORDER BY of SELECT DISTINCT takes selected columns only; add the expression to the "
       "SELECT list"},
      {"SELECT DISTINCT ON (b) b FROM facts", "1:21: DISTINCT ON is not supported yet"},
      {"SELECT a FROM facts UNION SELECT n FROM per_b ORDER BY a + 1",
       "1:58: ORDER BY of a UNION takes its columns by name or number only"},
      {"SELECT a FROM facts ORDER BY count(*)",
       "1:30: the aggregate count cannot stand in ORDER BY"},
      {"SELECT a FROM facts HAVING a > 1",
       "1:8: column \"a\" is neither grouped nor aggregated; add it to GROUP BY or aggregate it, "
       "with "
       "min(…) for instance"},
      {"SELECT a FROM facts UNION ALL SELECT b, n FROM per_b",
       "1:38: the branches of UNION have 1 and 2 columns"},
      {"SELECT a FROM facts INTERSECT SELECT n FROM per_b", "1:8: INTERSECT is not supported yet"},
      {"SELECT id, sum(a) OVER (ORDER BY id) FROM facts",
       "1:12: OVER is not supported yet in a read; make a view of it"},
      {"SELECT id FROM facts FOR UPDATE",
       "1:8: FOR UPDATE or FOR SHARE is not supported yet; leave it out: readers never wait"},
      {"VALUES (1)", "1:9: VALUES is not supported yet"},
      {"SELECT (SELECT 1)", "1:8: a subquery in an expression is not supported yet"},
      {"WITH RECURSIVE x AS (SELECT 1) SELECT 1", "1:16: WITH RECURSIVE is not supported yet"},
      {"WITH x AS (SELECT 1), x AS (SELECT 2) SELECT 1", "1:23: WITH has two tables \"x\""},
      {"WITH x (a) AS (SELECT 1) SELECT 1",
       "1:6: a column list of a common table expression is not supported yet; name the columns "
       "with "
       "AS inside of it"},
      {"WITH x AS MATERIALIZED (SELECT 1) SELECT 1",
       "1:6: MATERIALIZED is not supported yet; leave it out"},
      {"WITH x AS (SELECT nope FROM facts) SELECT 1",
       "1:19: column \"nope\" does not exist; there are id, b, a, at"},
  });
}

TEST_CASE("a query that would grow without bound is refused") {
  std::string sql = "WITH q0 AS (SELECT b FROM per_b)";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "q" + std::to_string(i - 1);
    sql += ", q" + std::to_string(i) + " AS (SELECT x.b FROM " + before + " x JOIN " + before +
           " y ON x.b = y.b)";
  }
  const Lines faults = query_faults(sql + " SELECT * FROM q39", shop());
  REQUIRE(faults.size() == 1);
  CHECK_THAT(faults[0], Catch::Contains("more than 1000 SELECTs"));
}

}  // namespace kappa::sql
