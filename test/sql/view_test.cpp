#include <algorithm>

#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

// Views as plans: a line a node.
namespace kappa::sql {
namespace {

constexpr char kTables[] =
    "CREATE FOREIGN TABLE sales (sale_id text PRIMARY KEY, at timestamptz NOT NULL, store text, "
    "card text, amount numeric(12,2), online boolean) SERVER log OPTIONS (event_time 'at');\n"
    "CREATE FOREIGN TABLE clicks (at timestamptz, url text, card text) SERVER log OPTIONS "
    "(event_time 'at');\n";

operators::Plan compile(const std::string& statements) {
  return plan_of(kTables + statements);
}

// The lines of the plan of one view over the tables.
Lines view(const std::string& name_options_and_query) {
  return lines_of(compile("CREATE MATERIALIZED VIEW " + name_options_and_query));
}

const operators::ViewNode& view_node(const operators::Plan& plan, const std::string& name) {
  const operators::NodeId id = plan.find_view(name);
  REQUIRE(id != operators::kNoNode);
  return std::get<operators::ViewNode>(plan.node(id).op);
}

}  // namespace

TEST_CASE(
    "a view of rows filters, projects, and keeps the source's primary key if it is selected") {
  CHECK(view("v AS SELECT sale_id, upper(store) AS store FROM sales WHERE amount > 10") ==
        Lines{
            "0: source sales [0,1,2,4] => sale_id text, at timestamp with time zone, store text, "
            "amount numeric(12,2) event_time #1",
            "1 <- 0: project #0::text, #2::text, #3::numeric(12,2) => sale_id text, store text, "
            "amount numeric(12,2)",
            "2 <- 1: filter \">\"<numeric,numeric:boolean>(#2::numeric(12,2), '10'::numeric(10,0)) "
            "=> sale_id text, store text, amount numeric(12,2)",
            "3 <- 2: project #0::text, \"upper\"<text:text>(#1::text) => sale_id text, column_2 "
            "text",
            "4 <- 3: view v key [0] conflict=1 emit=changes event_time=none retention_us=none => "
            "sale_id text, store text",
        });
}

TEST_CASE("a view without the source's primary key keeps a row a record") {
  CHECK(view("v AS SELECT at, store FROM sales") ==
        Lines{
            "0: source sales [1,2] => at timestamp with time zone, store text event_time #0",
            "1 <- 0: view v key [] by record conflict=0 emit=changes event_time=#0 "
            "retention_us=none => at timestamp with time zone, store text event_time #0",
        });
}

TEST_CASE("a named key keeps the latest row and makes a changelog") {
  CHECK(view("v WITH (key = 'card') AS SELECT at, card FROM sales") ==
        Lines{
            "0: source sales [1,3] => at timestamp with time zone, card text event_time #0",
            "1 <- 0: view v key [1] conflict=2 emit=changes event_time=#0 retention_us=none => at "
            "timestamp with time zone, card text changelog event_time #0",
        });
}

TEST_CASE("groups compute their arguments once below the aggregate") {
  CHECK(view("v AS SELECT store, sum(amount * 2) AS s, avg(amount * 2) AS a, count(*) AS n, "
             "count(*) AS again, max(amount) FILTER (WHERE online) AS m FROM sales GROUP BY "
             "store") ==
        Lines{
            "0: source sales [1,2,4,5] => at timestamp with time zone, store text, amount "
            "numeric(12,2), online boolean event_time #0",
            "1 <- 0: project #1::text, \"*\"<numeric,numeric:numeric(22,2)>(#2::numeric(12,2), "
            "'2'::numeric(10,0)), #2::numeric(12,2), #3::boolean => store text, column_2 "
            "numeric(22,2), amount numeric(12,2), online boolean",
            "2 <- 1: aggregate by [0] sum(#1):numeric(38,2) avg(#1):numeric(38,8) count():bigint "
            "max(#2) filter #3:numeric(12,2) emit=changes retention_us=none => store text, sum "
            "numeric(38,2), avg numeric(38,8), count bigint, max numeric(12,2) changelog",
            "3 <- 2: project #0::text, #1::numeric(38,2), #2::numeric(38,8), #3::bigint, "
            "#3::bigint, #4::numeric(12,2) => store text, sum numeric(38,2), avg numeric(38,8), "
            "count bigint, count bigint, max numeric(12,2) changelog",
            "4 <- 3: view v key [0] conflict=0 emit=changes event_time=none retention_us=none => "
            "store text, s numeric(38,2), a numeric(38,8), n bigint, again bigint, m "
            "numeric(12,2) changelog",
        });
}

TEST_CASE("a view of an aggregate as it is stands directly above it") {
  CHECK(view("v AS SELECT card, count(DISTINCT url) AS urls FROM clicks GROUP BY card") ==
        Lines{
            "0: source clicks [0,1,2] => at timestamp with time zone, url text, card text "
            "event_time #0",
            "1 <- 0: project #2::text, #1::text => card text, url text",
            "2 <- 1: aggregate by [0] count_distinct(#1):bigint emit=changes retention_us=none => "
            "card text, count_distinct bigint changelog",
            "3 <- 2: view v key [0] conflict=0 emit=changes event_time=none retention_us=none => "
            "card text, urls bigint changelog",
        });
}

TEST_CASE("an aggregate without groups is one row without a key") {
  CHECK(view("v AS SELECT count(*) AS n FROM clicks") ==
        Lines{
            "0: source clicks [0] => at timestamp with time zone event_time #0",
            "1 <- 0: project  => ",
            "2 <- 1: aggregate by [] count():bigint emit=changes retention_us=none => count bigint "
            "changelog",
            "3 <- 2: view v key [] conflict=0 emit=changes event_time=none retention_us=none => n "
            "bigint changelog",
        });
}

TEST_CASE("a window's view is keyed by its start and the groups") {
  CHECK(view("v WITH (grace = '10 seconds', retention = '30 days') AS SELECT window_start, store, "
             "sum(amount) AS revenue FROM tumble(sales, at, INTERVAL '1 minute') GROUP BY "
             "window_start, store") ==
        Lines{
            "0: source sales [1,2,4] => at timestamp with time zone, store text, amount "
            "numeric(12,2) event_time #0",
            "1 <- 0: project #1::text, #0::timestamp with time zone, #2::numeric(12,2) => store "
            "text, at timestamp with time zone, amount numeric(12,2) event_time #1",
            "2 <- 1: aggregate by [0] tumble(#1 size_us=60000000 offset_us=0 grace_us=10000000) "
            "sum(#2):numeric(38,2) emit=changes retention_us=2592000000000 => store text, "
            "window_start timestamp with time zone, window_end timestamp with time zone, sum "
            "numeric(38,2) changelog",
            "3 <- 2: project #1::timestamp with time zone, #0::text, #3::numeric(38,2) => "
            "window_start timestamp with time zone, store text, sum numeric(38,2) changelog",
            "4 <- 3: view v key [0,1] conflict=0 emit=changes event_time=none "
            "retention_us=2592000000000 => window_start timestamp with time zone, store text, "
            "revenue numeric(38,2) changelog",
        });
}

TEST_CASE("emit = 'final' is append-only, and start, end and time of a window come together") {
  CHECK(
      view("v WITH (emit = 'final') AS SELECT window_end, window_time, window_start, count(*) AS "
           "n FROM tumble(clicks, at, '1 minute', '-10 seconds') WHERE url LIKE '%/buy' GROUP BY "
           "1, window_start") ==
      Lines{
          "0: source clicks [0,1] => at timestamp with time zone, url text event_time #0",
          "1 <- 0: filter \"~~\"<text,text:boolean>(#1::text, '%/buy'::text) => at timestamp "
          "with time zone, url text event_time #0",
          "2 <- 1: project #0::timestamp with time zone => at timestamp with time zone event_time "
          "#0",
          "3 <- 2: aggregate by [] tumble(#0 size_us=60000000 offset_us=50000000 grace_us=0) "
          "count():bigint emit=final retention_us=none => window_start timestamp with time zone, "
          "window_end timestamp with time zone, count bigint",
          "4 <- 3: project #1::timestamp with time zone, \"-\"<timestamp with time "
          "zone,interval:timestamp with time zone>(#1::timestamp with time zone, "
          "'00:00:00.000001'::interval), #0::timestamp with time zone, #2::bigint => window_end "
          "timestamp with time zone, column_2 timestamp with time zone, window_start timestamp "
          "with time zone, count bigint event_time #1",
          "5 <- 4: view v key [2] conflict=0 emit=final event_time=#1 retention_us=none => "
          "window_end timestamp with time zone, window_time timestamp with time zone, "
          "window_start timestamp with time zone, n bigint event_time #1",
      });
}

TEST_CASE("windows over a windowed view take its window_time, from its start or its end") {
  const std::string minutes =
      "CREATE MATERIALIZED VIEW minutes AS SELECT window_start, count(*) AS n FROM tumble(clicks, "
      "at, INTERVAL '1 minute') GROUP BY window_start;";
  const operators::Plan plan = compile(
      minutes +
      "CREATE MATERIALIZED VIEW hours AS SELECT window_start, sum(n) AS n FROM tumble(minutes, "
      "window_time, INTERVAL '1 hour') GROUP BY window_start;");
  const Lines lines = lines_of(plan);
  REQUIRE(lines.size() == 8);
  CHECK(lines[4] ==
        "4 <- 3: project \"+\"<timestamp with time zone,interval:timestamp with time "
        "zone>(#0::timestamp with time zone, '00:00:59.999999'::interval), #1::bigint => column_1 "
        "timestamp with time zone, n bigint changelog event_time #0");
  CHECK(lines[5] ==
        "5 <- 4: aggregate by [] tumble(#0 size_us=3600000000 offset_us=0 grace_us=0) "
        "sum(#1):numeric(38,0) emit=changes retention_us=none => window_start timestamp with time "
        "zone, window_end timestamp with time zone, sum numeric(38,0) changelog");

  const Lines by_end = lines_of(compile(
      "CREATE MATERIALIZED VIEW minutes AS SELECT window_start AS s, window_end AS e, count(*) AS "
      "n "
      "FROM tumble(clicks, at, INTERVAL '1 minute') GROUP BY window_start;"
      "CREATE MATERIALIZED VIEW kept AS SELECT s, e, n FROM minutes;"
      "CREATE MATERIALIZED VIEW hours AS SELECT window_start, count(*) AS n FROM tumble(kept, "
      "window_time, INTERVAL '1 hour') GROUP BY window_start;"));
  CHECK(std::count_if(by_end.begin(), by_end.end(), [](const std::string& line) {
          return line.find(
                     "project \"-\"<timestamp with time zone,interval:timestamp with time "
                     "zone>(#1::timestamp with time zone, '00:00:00.000001'::interval) =>") !=
                 std::string::npos;
        }) == 1);
}

TEST_CASE("the event time goes through views under another name") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW named AS SELECT card, at AS happened FROM clicks;"
      "CREATE MATERIALIZED VIEW minutes AS SELECT window_start, count(*) AS n FROM tumble(named, "
      "happened, INTERVAL '1 minute') GROUP BY window_start;");
  CHECK(view_node(plan, "named").event_time == 1);
  CHECK_FALSE(view_node(plan, "minutes").event_time.has_value());
}

TEST_CASE("a union casts its branches to common types and keeps a row a record") {
  CHECK(
      view("v AS SELECT card, at, 1 AS n FROM sales UNION ALL SELECT card, at, 2000000000000 FROM "
           "clicks UNION ALL SELECT NULL, at, '7' FROM clicks") ==
      Lines{
          "0: source sales [1,3] => at timestamp with time zone, card text event_time #0",
          "1 <- 0: project #1::text, #0::timestamp with time zone, '1'::bigint => card text, at "
          "timestamp with time zone, column_3 bigint event_time #1",
          "2: source clicks [0,2] => at timestamp with time zone, card text event_time #0",
          "3 <- 2: project #1::text, #0::timestamp with time zone, '2000000000000'::bigint => "
          "card text, at timestamp with time zone, column_3 bigint event_time #1",
          "4 <- 2: project NULL::text, #0::timestamp with time zone, '7'::bigint => column_1 "
          "text, at timestamp with time zone, column_3 bigint event_time #1",
          "5 <- 1,3,4: union all => card text, at timestamp with time zone, column_3 bigint "
          "event_time #1",
          "6 <- 5: view v key [] by record conflict=0 emit=changes event_time=#1 "
          "retention_us=none => card text, at timestamp with time zone, n bigint event_time #1",
      });
}

TEST_CASE("a union of equal branches has an edge for each") {
  const Lines lines =
      view("v AS SELECT at, card FROM clicks UNION ALL SELECT at, card FROM clicks");
  CHECK(lines == Lines{
                     "0: source clicks [0,2] => at timestamp with time zone, card text event_time "
                     "#0",
                     "1 <- 0: project #0::timestamp with time zone, #1::text => at timestamp with "
                     "time zone, card text event_time #0",
                     "2 <- 0,1: union all => at timestamp with time zone, card text event_time #0",
                     "3 <- 2: view v key [] by record conflict=0 emit=changes event_time=#0 "
                     "retention_us=none => at timestamp with time zone, card text event_time #0",
                 });
}

TEST_CASE("a union of final windows has the key that is named") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v WITH (emit = 'final', key = 'what, window_start') AS "
      "SELECT 'sale' AS what, window_start, count(*) AS n FROM tumble(sales, at, '1 minute') GROUP "
      "BY window_start UNION ALL "
      "SELECT 'click', window_start, count(*) FROM tumble(clicks, at, '1 minute') GROUP BY "
      "window_start");
  const operators::ViewNode& view = view_node(plan, "v");
  CHECK(view.key == std::vector<int>{0, 1});
  CHECK(view.conflict == operators::ViewNode::Conflict::kLatestWins);
}

TEST_CASE("a union of keyed rows has their key and the branch, which * leaves out") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v AS SELECT amount, sale_id FROM sales UNION ALL SELECT -amount, "
      "sale_id FROM sales;"
      "CREATE MATERIALIZED VIEW w AS SELECT * FROM v;"
      "CREATE MATERIALIZED VIEW x AS SELECT branch, sale_id FROM v;");
  const operators::ViewNode& view = view_node(plan, "v");
  CHECK(view.key == std::vector<int>{1, 2});
  CHECK(view.hidden == 1);
  CHECK(view.conflict == operators::ViewNode::Conflict::kFirstWins);
  CHECK(plan.node(plan.find_view("v")).schema.back() ==
        operators::Field{"branch", Type::integer()});
  CHECK(plan.node(plan.find_view("w")).schema.size() == 2);
  CHECK(view_node(plan, "w").by_record);
  CHECK(view_node(plan, "x").key == std::vector<int>{1, 0});
}

TEST_CASE("a union of final windows has their groups and the branch for its key") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS "
      "SELECT window_start, store, count(*) AS n FROM tumble(sales, at, '1 minute') GROUP BY "
      "window_start, store UNION ALL "
      "SELECT window_start, card, count(*) FROM tumble(clicks, at, '1 minute') GROUP BY card, "
      "window_start");
  CHECK(view_node(plan, "v").key == std::vector<int>{0, 1, 3});
  CHECK(view_node(plan, "v").conflict == operators::ViewNode::Conflict::kGrouped);
}

TEST_CASE("windows are taken over a union of final windows of different sizes") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS "
      "SELECT window_start, window_time, count(*) AS n FROM tumble(sales, at, '1 minute') GROUP BY "
      "window_start UNION ALL "
      "SELECT window_start, window_time, count(*) FROM tumble(clicks, at, '5 minutes') GROUP BY "
      "window_start;"
      "CREATE MATERIALIZED VIEW w AS SELECT window_start, sum(n) AS n "
      "FROM tumble(v, window_time, '1 hour') GROUP BY window_start;");
  CHECK(view_node(plan, "w").key == std::vector<int>{0});
}

TEST_CASE("DISTINCT ON over final answers has no columns but its own") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v WITH (emit = 'final') AS SELECT DISTINCT ON (store) store, "
      "count(*) OVER (PARTITION BY store ORDER BY at RANGE '1 minute' PRECEDING) AS n FROM sales");
  const operators::ViewNode& view = view_node(plan, "v");
  CHECK(view.key == std::vector<int>{0});
  CHECK(view.hidden == 0);
  CHECK(plan.node(plan.find_view("v")).schema.size() == 2);
}

TEST_CASE("views over views keep their key, and only what changes is a changelog") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW facts AS SELECT sale_id, store, amount FROM sales;"
      "CREATE MATERIALIZED VIEW again AS SELECT amount, sale_id FROM facts WHERE store = 'a';"
      "CREATE MATERIALIZED VIEW keyless AS SELECT amount FROM facts;"
      "CREATE MATERIALIZED VIEW per_store AS SELECT store, count(*) AS n FROM facts GROUP BY store;"
      "CREATE MATERIALIZED VIEW big AS SELECT n, store FROM per_store WHERE n > 5;"
      "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS n, count(*) AS stores FROM big;");
  using Conflict = operators::ViewNode::Conflict;
  CHECK(view_node(plan, "facts").conflict == Conflict::kFirstWins);
  CHECK(view_node(plan, "again").key == std::vector<int>{1});
  CHECK(view_node(plan, "again").conflict == Conflict::kGrouped);
  CHECK(view_node(plan, "keyless").by_record);
  CHECK(view_node(plan, "big").key == std::vector<int>{1});
  for (const char* name : {"facts", "again", "keyless"}) {
    CHECK_FALSE(plan.node(plan.find_view(name)).changelog);
  }
  for (const char* name : {"per_store", "big", "total"}) {
    CHECK(plan.node(plan.find_view(name)).changelog);
  }
}

TEST_CASE("a grouped view may name its own key in another order") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v WITH (key = 'card, store') AS SELECT store, card, count(*) AS n "
      "FROM sales GROUP BY store, card");
  CHECK(view_node(plan, "v").key == std::vector<int>{1, 0});
  CHECK(view_node(plan, "v").conflict == operators::ViewNode::Conflict::kGrouped);
}

TEST_CASE(
    "GROUP BY takes columns, expressions, numbers and aliases, and columns go before aliases") {
  const auto groups = [](const std::string& query) {
    const operators::Plan plan = compile("CREATE MATERIALIZED VIEW v AS " + query);
    for (const operators::PlanNode& node : plan.nodes) {
      if (!std::holds_alternative<operators::AggregateNode>(node.op)) continue;
      return plan.node(node.inputs[0]).schema;
    }
    return operators::Schema();
  };
  using operators::Schema;
  CHECK(groups("SELECT card, count(*) AS n FROM clicks GROUP BY card") ==
        Schema{{"card", Type::text()}});
  CHECK(groups("SELECT card AS c, count(*) AS n FROM clicks GROUP BY c") ==
        Schema{{"card", Type::text()}});
  CHECK(groups("SELECT card, count(*) AS n FROM clicks GROUP BY 1, 1, card") ==
        Schema{{"card", Type::text()}});
  CHECK(groups("SELECT date_trunc('day', at) AS day, count(*) AS n FROM clicks GROUP BY day") ==
        Schema{{"column_1", Type::timestamptz()}});
  CHECK(groups("SELECT date_trunc('day', at) AS day, date_trunc('day', at) + INTERVAL '1 hour' AS "
               "later FROM clicks GROUP BY date_trunc('day', at)") ==
        Schema{{"column_1", Type::timestamptz()}});
  // "url" is a column of the table, so the alias is not meant.
  CHECK(faults_of(std::string(kTables) +
                  "CREATE MATERIALIZED VIEW v AS SELECT card AS url, count(*) AS n FROM clicks "
                  "GROUP BY url") ==
        Lines{"3:38: column \"card\" is neither grouped nor aggregated; add it to GROUP BY or "
              "aggregate it, with min(…) for instance"});
}

TEST_CASE("columns without AS are named as PostgreSQL names them") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW v AS SELECT sale_id, sales.store, upper(card), amount::text, "
      "CASE WHEN online THEN 1 END, COALESCE(card, 'x'), NULLIF(card, 'y'), GREATEST(amount, 1), "
      "'5'::bigint, EXTRACT(hour FROM at) FROM sales");
  Lines names;
  for (const operators::Field& field : plan.node(plan.find_view("v")).schema) {
    names.push_back(field.name);
  }
  CHECK(names == Lines{"sale_id", "store", "upper", "amount", "case", "coalesce", "nullif",
                       "greatest", "int8", "extract"});
}

TEST_CASE("* shows the columns of the table") {
  CHECK(plan_of("CREATE FOREIGN TABLE t (b text, a text) SERVER log;"
                "CREATE MATERIALIZED VIEW v AS SELECT *, upper(a) FROM t;"
                "CREATE MATERIALIZED VIEW w AS SELECT q.* FROM v AS q")
            .node(3)
            .schema ==
        operators::Schema{{"b", Type::text()}, {"a", Type::text()}, {"upper", Type::text()}});
}

TEST_CASE("sources are shared and decode what all views together use") {
  const operators::Plan plan = compile(
      "CREATE MATERIALIZED VIEW a AS SELECT card FROM sales;"
      "CREATE MATERIALIZED VIEW b AS SELECT store FROM sales WHERE online;"
      "CREATE MATERIALIZED VIEW c AS SELECT card AS other FROM sales;");
  CHECK(lines_of(plan)[0] ==
        "0: source sales [1,2,3,5] => at timestamp with time zone, store text, card text, online "
        "boolean event_time #0");
  // Views a and c read one projection.
  CHECK(plan.node(plan.find_view("a")).inputs == plan.node(plan.find_view("c")).inputs);
}

TEST_CASE("a view's fingerprint does not depend on what other views read") {
  const std::string a =
      "CREATE MATERIALIZED VIEW a AS SELECT card, count(*) AS n FROM sales GROUP BY card;";
  const operators::Plan alone = compile(a);
  const operators::Plan together = compile(
      "CREATE MATERIALIZED VIEW b AS SELECT card, store, amount FROM sales WHERE online;" + a);
  const auto fingerprint = [](const operators::Plan& plan, const char* name) {
    return plan.node(plan.find_view(name)).fingerprint;
  };
  CHECK(fingerprint(alone, "a") == fingerprint(together, "a"));
  CHECK(fingerprint(alone, "a") != 0);
  CHECK(fingerprint(together, "a") != fingerprint(together, "b"));
  const operators::Plan other = compile(
      "CREATE MATERIALIZED VIEW a AS SELECT card, count(store) AS n FROM sales GROUP BY card;");
  CHECK(fingerprint(alone, "a") != fingerprint(other, "a"));
}

TEST_CASE("statements are kept with their text and place") {
  const operators::Plan plan = plan_of(
      "-- a comment\nCREATE FOREIGN TABLE t (a text) SERVER log;\n"
      "  CREATE MATERIALIZED VIEW v AS\n  SELECT a FROM t; -- the end\n");
  REQUIRE(plan.statements.size() == 2);
  CHECK(plan.statements[1].text == "CREATE MATERIALIZED VIEW v AS\n  SELECT a FROM t");
  CHECK(plan.statements[1].position.line == 3);
  CHECK(plan.statements[1].position.column == 3);
  CHECK(view_node(plan, "v").statement == 1);
}

}  // namespace kappa::sql
