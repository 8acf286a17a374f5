#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

// Views that are refused: columns count from the view's name, "v" at 1.
namespace kappa::sql {
namespace {

constexpr char kTables[] =
    "CREATE FOREIGN TABLE t (id bigint PRIMARY KEY, at timestamptz, a integer, b text, n "
    "numeric(12,2)) SERVER log OPTIONS (event_time 'at'); "
    "CREATE FOREIGN TABLE u (id bigint, x text) SERVER log; "
    "CREATE MATERIALIZED VIEW per_b AS SELECT b, count(*) AS n FROM t GROUP BY b; "
    "CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS SELECT window_start, b, count(*) AS "
    "n FROM tumble(t, at, INTERVAL '1 minute') GROUP BY window_start, b;\n"
    "CREATE MATERIALIZED VIEW ";

struct Slip {
  const char* view;
  const char* fault;
};

void refuse_all(const std::vector<Slip>& slips) {
  constexpr uint32_t kColumnsBefore = 25;
  for (const Slip& slip : slips) {
    INFO(slip.view);
    const auto faults = compile_product({{"p.sql", std::string(kTables) + slip.view}}, {});
    Lines lines;
    for (const Diagnostic& fault : faults.diagnostics) {
      lines.push_back(std::to_string(fault.line - 1) + ":" +
                      std::to_string(fault.column - kColumnsBefore) + ": " + fault.message +
                      (fault.hint.empty() ? "" : "; " + fault.hint));
    }
    CHECK(lines == Lines{slip.fault});
  }
}

}  // namespace

TEST_CASE("tables and views that are not there are told with what is like them") {
  refuse_all({
      {"v AS SELECT b FROM per_c",
       "1:20: table or view \"per_c\" does not exist; did you mean \"per_b\"?"},
      {"v AS SELECT b FROM nothing",
       "1:20: table or view \"nothing\" does not exist; there are minutes, per_b, t, u"},
      {"v AS SELECT b FROM later; CREATE MATERIALIZED VIEW later AS SELECT b FROM t",
       "1:20: table or view \"later\" does not exist; it is declared further down: move that "
       "statement up"},
      {"v AS SELECT b FROM v",
       "1:20: table or view \"v\" does not exist; it is declared further down: move that statement "
       "up"},
      {"t AS SELECT b FROM t", "1:1: there is a table \"t\" already"},
      {"per_b AS SELECT b FROM t", "1:1: there is a view \"per_b\" already"},
      {"v AS SELECT 1 AS one",
       "1:13: a view reads a table or view: FROM is missing; write SELECT … FROM a table or view"},
  });
}

TEST_CASE("columns of a view need names of their own") {
  refuse_all({
      {"v AS SELECT a, b AS a FROM t",
       "1:16: the view has two columns \"a\"; name one of them otherwise with AS"},
      {"v AS SELECT *, a FROM t",
       "1:13: the view has two columns \"a\"; name one of them otherwise with AS"},
      {"v AS SELECT a, a + 1 FROM t", "1:16: column 2 of the view has no name; name it with AS"},
      {"v AS SELECT FROM t", "1:18: SELECT names no column"},
  });
}

TEST_CASE("grouping that does not hold together is refused") {
  refuse_all({
      {"v AS SELECT a, count(*) FROM t",
       "1:13: column \"a\" is neither grouped nor aggregated; add it to GROUP BY or aggregate it, "
       "with min(…) for instance"},
      {"v AS SELECT b, upper(b) || a::text AS x FROM t GROUP BY b",
       "1:28: column \"a\" is neither grouped nor aggregated; add it to GROUP BY or aggregate it, "
       "with min(…) for instance"},
      {"v AS SELECT b FROM t WHERE count(*) > 1",
       "1:28: the aggregate count cannot stand in WHERE"},
      {"v AS SELECT count(*) AS c FROM t GROUP BY c",
       "1:13: the aggregate count cannot stand in GROUP BY"},
      {"v AS SELECT sum(max(a)) AS x FROM t",
       "1:17: the aggregate max cannot stand in the aggregate sum"},
      {"v AS SELECT sum(a) FILTER (WHERE count(*) > 1) AS x FROM t",
       "1:34: the aggregate count cannot stand in FILTER"},
      {"v AS SELECT a FROM t GROUP BY 2", "1:31: GROUP BY 2: the SELECT list has 1 columns"},
      {"v AS SELECT * FROM t GROUP BY 1", "1:31: GROUP BY by number does not work with *"},
      {"v AS SELECT a FROM t WHERE a",
       "1:28: WHERE needs a boolean, found integer; compare it "
       "with something"},
  });
}

TEST_CASE("a key that is not selected is asked for") {
  refuse_all({
      {"v AS SELECT count(*) AS n FROM t GROUP BY b",
       "1:43: the key column \"b\" is not selected; a grouped view is kept by its GROUP BY "
       "columns: "
       "add it to the SELECT list"},
      {"v AS SELECT upper(b) AS b, count(*) AS n FROM t GROUP BY t.b",
       "1:58: the key column \"b\" is not selected; a grouped view is kept by its GROUP BY "
       "columns: "
       "add it to the SELECT list"},
      {"v AS SELECT count(*) AS n FROM t GROUP BY a + 1",
       "1:45: the key column a GROUP BY expression is not selected; a grouped view is kept by its "
       "GROUP BY columns: add it to the SELECT list"},
      {"v AS SELECT window_end, count(*) AS n FROM tumble(t, at, '1 s') GROUP BY window_end",
       "1:74: the key column \"window_start\" is not selected; a grouped view is kept by its GROUP "
       "BY columns: add it to the SELECT list"},
      {"v AS SELECT n FROM per_b",
       "1:13: the key column \"b\" of \"per_b\" is not selected; add b to the SELECT list"},
      {"v AS SELECT b, n FROM minutes",
       "1:13: the key column \"window_start\" of \"minutes\" is not selected; add window_start to "
       "the SELECT list"},
      {"v WITH (key = 'b, c') AS SELECT b, a FROM t",
       "1:9: key column \"c\" is not selected; there are b, a"},
      {"v WITH (key = 'b, b') AS SELECT b FROM t", "1:9: key column \"b\" comes twice"},
      {"v WITH (key = '') AS SELECT b FROM t", "1:9: key column \"\" is not selected; there is b"},
      {"v WITH (key = 'n') AS SELECT b, n FROM per_b",
       "1:9: a key over rows that change is not supported yet; the view has the key of its groups; "
       "for another one, read append-only rows, such as windows with emit = 'final'"},
  });
}

TEST_CASE("options that do not fit are refused") {
  refuse_all({
      {"v WITH (grac = '1 s') AS SELECT a FROM t",
       "1:9: a view has no option \"grac\"; did you mean \"grace\"?"},
      {"v WITH (grace = '1 s', grace = '2 s') AS SELECT a FROM t",
       "1:24: option \"grace\" comes twice"},
      {"v WITH (grace = 10) AS SELECT a FROM t",
       "1:9: option \"grace\" needs a text in single quotes"},
      {"v WITH (grace) AS SELECT a FROM t", "1:9: option \"grace\" needs a text in single quotes"},
      {"v WITH (my.grace = '1 s') AS SELECT a FROM t",
       "1:9: a namespace before an option is not supported yet; name the option alone"},
      {"v WITH (grace = '1 mounth') AS SELECT a FROM t",
       "1:9: option \"grace\": \"1 mounth\" is not a span of time; write a text such as '10 "
       "seconds', '5 minutes' or '30 days'"},
      {"v WITH (grace = '1 s') AS SELECT a FROM t",
       "1:9: grace needs a window, or a join by time; FROM tumble(t, event_time, INTERVAL '1 "
       "minute') GROUP BY "
       "window_start"},
      {"v WITH (emit = 'often') AS SELECT a FROM t",
       "1:9: option \"emit\": \"often\" is not a way to emit; write 'changes' (every change at "
       "once) "
       "or 'final' (once the window is closed)"},
      {"v WITH (emit = 'final') AS SELECT b, count(*) AS m FROM (SELECT b, count(*) OVER (ORDER BY "
       "at "
       "ROWS 1 PRECEDING) AS n FROM t) AS x GROUP BY b",
       "1:9: emit = 'final' needs a window; FROM tumble(t, event_time, INTERVAL '1 minute') GROUP "
       "BY window_start"},
      {"v WITH (emit = final) AS SELECT b, count(*) AS n FROM t GROUP BY b",
       "1:9: emit = 'final' needs a window; FROM tumble(t, event_time, INTERVAL '1 minute') GROUP "
       "BY window_start"},
      {"v WITH (retention = '1 day') AS SELECT b, count(*) AS n FROM t GROUP BY b",
       "1:9: retention of groups needs a window: a group without one has no time; FROM tumble(t, "
       "event_time, INTERVAL '1 minute') GROUP BY window_start"},
      {"v WITH (retention = '1 day') AS SELECT a FROM t",
       "1:9: retention needs the event time, and the view does not select it; add the source's "
       "event time, or a window's window_time, to the SELECT list"},
  });
}

TEST_CASE("windows that do not fit are refused") {
  refuse_all({
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, id, '1 s') GROUP BY window_start",
       "1:56: \"id\" is not the event time of \"t\"; windows are taken over \"at\""},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, nope, '1 s') GROUP BY window_start",
       "1:56: \"nope\" is not the event time of \"t\"; windows are taken over \"at\""},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(u, id, '1 s') GROUP BY window_start",
       "1:56: \"u\" has no event time; declare the source with OPTIONS (event_time 'column'), and "
       "select that column in the views between"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(per_b, b, '1 s') GROUP BY window_start",
       "1:60: \"per_b\" has no event time; declare the source with OPTIONS (event_time 'column'), "
       "and select that column in the views between"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(minutes, window_start, '1 hour') GROUP "
       "BY window_start",
       "1:62: \"window_start\" is not the event time of \"minutes\"; windows over a windowed view "
       "are taken over its window_time"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at, '1 month') GROUP BY "
       "window_start",
       "1:60: the window's size cannot be in months or years: their length varies; write it in "
       "days: INTERVAL '30 days'"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at, INTERVAL '2 years') GROUP BY "
       "window_start",
       "1:60: the window's size cannot be in months or years: their length varies; write it in "
       "days: INTERVAL '30 days'"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at, '0 s') GROUP BY window_start",
       "1:60: the window's size must be more than zero; write tumble(t, event_time, INTERVAL '1 "
       "minute')"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at, 60) GROUP BY window_start",
       "1:60: expected interval, found integer"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at, a) GROUP BY window_start",
       "1:60: column \"a\" does not exist; there is no FROM that would have columns"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at) GROUP BY window_start",
       "1:46: tumble takes 3 or 4 arguments, found 2; write tumble(t, event_time, INTERVAL '1 "
       "minute')"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble('t', at, '1 s') GROUP BY window_start",
       "1:53: expected the name of a table or view; write tumble(t, event_time, INTERVAL '1 "
       "minute')"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at + INTERVAL '1 s', '1 s') GROUP "
       "BY "
       "window_start",
       "1:59: expected the name of the event time column; write tumble(t, event_time, INTERVAL '1 "
       "minute')"},
      {"v AS SELECT b, count(*) AS n FROM tumble(t, at, '1 s') GROUP BY b",
       "1:35: tumble() needs GROUP BY window_start; add window_start to GROUP BY"},
      {"v AS SELECT window_start, b FROM tumble(t, at, '1 s')",
       "1:34: tumble() needs GROUP BY window_start; add window_start to GROUP BY"},
      {"v AS SELECT date_trunc('day', window_start) AS d, count(*) AS n FROM tumble(t, at, '1 s') "
       "GROUP BY window_start, d",
       "1:31: a window's columns can only be grouped by and selected; group by window_start, and "
       "compute with it in the SELECT list or in a view over this one"},
      {"v AS SELECT window_start, count(*) AS n FROM tumble(t, at, '1 s') WHERE window_start > at "
       "GROUP BY window_start",
       "1:73: a window's columns can only be grouped by and selected; group by window_start, and "
       "compute with it in the SELECT list or in a view over this one"},
      {"v AS SELECT window_start, max(window_end) AS n FROM tumble(t, at, '1 s') GROUP BY "
       "window_start",
       "1:31: a window's columns can only be grouped by and selected; group by window_start, and "
       "compute with it in the SELECT list or in a view over this one"},
      {"v AS SELECT b FROM hop(t, at, '1 s', '2 s') GROUP BY b",
       "1:20: hop() needs GROUP BY window_start; add window_start to GROUP BY"},
      {"v AS SELECT b FROM hop(t, at, '2 s', '1 s') GROUP BY b",
       "1:31: the slide is longer than the size: some rows would be in no window; write hop(t, "
       "event_time, INTERVAL '10 seconds', INTERVAL '1 minute'): slide, then size"},
      {"v AS SELECT b FROM hop(t, at, '0 s', '1 s') GROUP BY b",
       "1:31: the window's slide must be more than zero; write hop(t, event_time, INTERVAL '10 "
       "seconds', INTERVAL '1 minute'): slide, then size"},
      {"v AS SELECT b FROM hop(t, at, '1 ms', '1 hour') GROUP BY b",
       "1:31: each row would be in more than 10000 windows; make the steps longer or the windows "
       "shorter"},
      {"v AS SELECT b FROM hop(t, at, '1 s') GROUP BY b",
       "1:20: hop takes 4 or 5 arguments, found 3; write hop(t, event_time, INTERVAL '10 seconds', "
       "INTERVAL '1 minute'): slide, then size"},
      {"v AS SELECT b FROM hop(t, b, '1 s', '2 s') GROUP BY b",
       "1:27: \"b\" is not the event time of \"t\"; windows are taken over \"at\""},
      {"v AS SELECT b, window_start FROM cumulate(t, at, '1 s', '2 s') GROUP BY b, window_start",
       "1:34: cumulate() needs GROUP BY window_end; add window_end to GROUP BY"},
      {"v AS SELECT b, window_start FROM cumulate(t, at, '1 s', '2 s') GROUP BY b, window_end",
       "1:76: the key column \"window_end\" is not selected; a grouped view is kept by its GROUP "
       "BY "
       "columns: add it to the SELECT list"},
      {"v AS SELECT b FROM cumulate(t, at, '2 s', '5 s') GROUP BY b",
       "1:43: the size is not a multiple of the step; write cumulate(t, event_time, INTERVAL '1 "
       "hour', INTERVAL '1 day'): step, then size"},
      {"v AS SELECT b FROM cumulate(t, at, '2 s', '1 s') GROUP BY b",
       "1:36: the step is longer than the size; write cumulate(t, event_time, INTERVAL '1 hour', "
       "INTERVAL '1 day'): step, then size"},
      {"v AS SELECT b FROM session(t, at, '1 s') GROUP BY b",
       "1:20: session() needs GROUP BY window_start; add window_start to GROUP BY"},
      {"v AS SELECT b FROM session(t, at, '1 s') GROUP BY b, window_start",
       "1:20: session() needs GROUP BY window_end; add window_end to GROUP BY"},
      {"v AS SELECT b FROM session(t, at, '1 s', '2 s') GROUP BY b",
       "1:20: session takes 3 arguments, found 4; write session(t, event_time, INTERVAL '30 "
       "minutes'): the gap"},
      {"v AS SELECT b FROM session(t, at, '0 s') GROUP BY b",
       "1:35: the session's gap must be more than zero; write session(t, event_time, INTERVAL '30 "
       "minutes'): the gap"},
      {"v AS SELECT b FROM generate_series(1, 2) AS b",
       "1:20: generate_series() cannot stand in FROM; functions in FROM are tumble(), hop(), "
       "cumulate(), session() and apply_rules()"},
  });
}

TEST_CASE("what cannot be done with rows that change is refused by name") {
  refuse_all({
      {"v AS SELECT arg_max(b, n) AS m FROM per_b",
       "1:13: arg_max over rows that change is not supported yet; \"per_b\" takes rows back; "
       "count, sum, avg, min, max, count(DISTINCT …), approx_quantile, and stddev of integers and "
       "numerics, can do that, or read a view with emit = 'final'"},
      {"v AS SELECT b, approx_count_distinct(n) AS m FROM per_b GROUP BY b",
       "1:16: approx_count_distinct over rows that change is not supported yet; \"per_b\" takes "
       "rows back; count, sum, avg, min, max, count(DISTINCT …), approx_quantile, and stddev of "
       "integers and numerics, can do that, or read a view with emit = 'final'"},
      {"v AS SELECT b, stddev(n::double precision) AS m FROM per_b GROUP BY b",
       "1:16: stddev of double precision over rows that change is not supported yet; \"per_b\" "
       "takes rows back; count, sum, avg, min, max, count(DISTINCT …), approx_quantile, and "
       "stddev of integers and numerics, can do that, or read a view with emit = 'final'"},
      {"v AS SELECT b FROM per_b UNION ALL SELECT b FROM t",
       "1:13: UNION ALL over rows that change is not supported yet; unite append-only rows: "
       "sources, views over them as they are, or windows with emit = 'final'"},
      {"v AS SELECT window_start, n FROM minutes UNION ALL SELECT at, id FROM t",
       "1:13: the branches of this UNION ALL have no key in common; select a "
       "column that tells the branches apart and name the key: WITH (key = 'branch, …')"},
  });
}

TEST_CASE("the branches of a union must fit") {
  refuse_all({
      {"v AS SELECT b, a FROM t UNION ALL SELECT x FROM u",
       "1:42: the branches of UNION ALL have 2 and 1 columns"},
      {"v AS SELECT a FROM t UNION ALL SELECT x FROM u",
       "1:39: column 1 of UNION ALL has both integer and text; cast one of them to the type of the "
       "other"},
      {"v AS SELECT b FROM t UNION SELECT x FROM u",
       "1:13: UNION is not supported yet in a view; write UNION ALL"},
      {"v AS SELECT b FROM t INTERSECT SELECT x FROM u",
       "1:13: INTERSECT is not supported yet in a view"},
      {"v AS SELECT b FROM t EXCEPT ALL SELECT x FROM u",
       "1:13: EXCEPT is not supported yet in a view"},
  });
}

TEST_CASE("clauses that a view does not take are refused by name") {
  refuse_all({
      {"v AS SELECT DISTINCT ON (a) b FROM t",
       "1:26: what DISTINCT ON names is not selected; its columns are the view's key: add it to "
       "the "
       "SELECT list"},
      {"v AS SELECT b FROM t ORDER BY b",
       "1:22: ORDER BY is not supported yet in a view; order the rows when you query the view"},
      {"v AS SELECT b FROM t LIMIT 3",
       "1:22: LIMIT is not supported yet in a view; limit the rows when you query the view"},
      {"v AS SELECT b FROM t OFFSET 3",
       "1:22: OFFSET is not supported yet in a view; skip rows when you query the view"},
      {"v AS SELECT b FROM t UNION ALL SELECT x FROM u ORDER BY 1",
       "1:48: ORDER BY is not supported yet in a view; order the rows when you query the view"},
      {"v AS SELECT b FROM t WINDOW w AS (PARTITION BY b)",
       "1:34: no OVER names window \"w\"; leave it out"},
      {"v AS WITH RECURSIVE x AS (SELECT b FROM t) SELECT b FROM x",
       "1:6: WITH RECURSIVE is not supported yet"},
      {"v AS WITH x AS MATERIALIZED (SELECT b FROM t) SELECT b FROM x",
       "1:11: MATERIALIZED is not supported yet; leave it out"},
      {"v AS WITH x AS (SELECT nope FROM t) SELECT b FROM t",
       "1:24: column \"nope\" does not exist; there are id, at, a, b, n"},
      {"v AS WITH x AS (SELECT b FROM t), x AS (SELECT b FROM t) SELECT b FROM x",
       "1:35: WITH has two tables \"x\""},
      {"v AS WITH x AS (INSERT INTO t SELECT b FROM t RETURNING b) SELECT b FROM x",
       "1:11: WITH takes SELECT only"},
      {"v AS VALUES (1)", "1:14: VALUES is not supported yet in a view"},
      {"v AS SELECT b FROM t FOR UPDATE",
       "1:13: FOR UPDATE or FOR SHARE is not supported yet in a view; leave it out: readers never "
       "wait"},
      {"v AS SELECT b FROM t GROUP BY ROLLUP (b)",
       "1:31: GROUPING SETS, ROLLUP or CUBE is not supported yet; make a view of each grouping"},
      {"v AS SELECT b FROM t GROUP BY DISTINCT b",
       "1:13: GROUP BY DISTINCT is not supported yet in a view; leave DISTINCT out"},
      {"v AS SELECT b INTO w FROM t",
       "1:20: SELECT INTO is not supported yet in a view; write CREATE MATERIALIZED VIEW v AS "
       "SELECT"},
  });
}

TEST_CASE("what a view's FROM does not take is refused by name") {
  refuse_all({
      {"v AS SELECT t.b FROM t JOIN u ON t.id = u.id",
       "1:29: \"u\" is a topic, and a join looks rows up in a view; make a view of its latest rows "
       "and join that: CREATE MATERIALIZED VIEW … WITH (key = 'id') AS SELECT …"},
      {"v AS SELECT t.b FROM t ASOF JOIN u ON t.id = u.id",
       "1:22: ASOF JOIN is not supported yet; if \"asof\" is meant as an alias, choose another "
       "name"},
      {"v AS SELECT t.b FROM t ASOF LEFT JOIN u ON t.id = u.id",
       "1:22: ASOF JOIN is not supported yet; if \"asof\" is meant as an alias, choose another "
       "name"},
      {"v AS SELECT t.b FROM t TEMPORAL JOIN u ON t.id = u.id",
       "1:22: TEMPORAL JOIN is not supported yet; if \"temporal\" is meant as an alias, choose "
       "another name"},
      {"v AS SELECT t.b FROM t, u",
       "1:25: more than one table in FROM is not supported yet in a view; write JOIN … ON a.x = "
       "b.x"},
      {"v AS SELECT b FROM LATERAL (SELECT b FROM t) AS x", "1:36: LATERAL is not supported yet"},
      {"v AS SELECT n FROM (SELECT b FROM t) AS x",
       "1:13: column \"n\" does not exist; there is b"},
      {"v AS SELECT b FROM ONLY t",
       "1:25: ONLY is not supported yet; leave it out: nothing inherits from a table here"},
      {"v AS SELECT b FROM s.t",
       "1:20: a schema before a table's name is not supported yet; name the table alone: a product "
       "has one schema"},
      {"v AS SELECT b FROM t AS x (y)",
       "1:20: a list of column aliases is not supported yet; name the columns with AS in SELECT"},
      {"v AS SELECT b FROM t TABLESAMPLE system (1)",
       "1:20: TABLESAMPLE is not supported yet in a view"},
      {"v AS SELECT b FROM tumble(t, at, '1 s') WITH ORDINALITY",
       "1:20: WITH ORDINALITY is not supported yet"},
      {"v AS SELECT b FROM LATERAL tumble(t, at, '1 s')", "1:28: LATERAL is not supported yet"},
      {"v AS SELECT b FROM ROWS FROM (tumble(t, at, '1 s'))",
       "1:31: ROWS FROM is not supported yet"},
  });
}

TEST_CASE("what CREATE MATERIALIZED VIEW does not take is refused by name") {
  refuse_all({
      {"IF NOT EXISTS v AS SELECT b FROM t",
       "1:15: IF NOT EXISTS is not supported yet; leave it out: a product is declared as a whole"},
      {"v (x) AS SELECT b FROM t",
       "1:1: a column list of a view is not supported yet; name the columns with AS in SELECT"},
      {"v AS SELECT b FROM t WITH NO DATA",
       "1:1: WITH NO DATA is not supported yet; leave it out: a view begins with the log"},
      {"v TABLESPACE x AS SELECT b FROM t", "1:1: TABLESPACE is not supported yet"},
      {"v USING heap AS SELECT b FROM t", "1:1: USING is not supported yet"},
      {"s.v AS SELECT b FROM t",
       "1:1: a schema before a table's name is not supported yet; name the table alone: a product "
       "has one schema"},
  });
}

}  // namespace kappa::sql
