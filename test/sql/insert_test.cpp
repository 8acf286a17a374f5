#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

namespace kappa::sql {
namespace {

constexpr char kTables[] =
    "CREATE FOREIGN TABLE t (id bigint, at timestamptz, b text, n numeric(12,2)) SERVER log "
    "OPTIONS "
    "(event_time 'at'); "
    "CREATE FOREIGN TABLE alerts (id bigint NOT NULL, b text, n numeric(38,2)) SERVER log; "
    "CREATE FOREIGN TABLE more (id bigint) SERVER log; "
    "CREATE MATERIALIZED VIEW per_b AS SELECT b, count(*) AS c FROM t GROUP BY b; "
    "CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS SELECT window_start, b, sum(n) AS n "
    "FROM tumble(t, at, INTERVAL '1 minute') GROUP BY window_start, b;\n";

}  // namespace

TEST_CASE("an insert writes its rows, cast to the columns of the topic") {
  const Lines lines = lines_of(plan_of(
      "CREATE FOREIGN TABLE t (id integer, b text, n numeric(12,2)) SERVER log; "
      "CREATE FOREIGN TABLE alerts (id bigint NOT NULL, b text, n numeric(10,1)) SERVER log; "
      "INSERT INTO alerts SELECT id, b, n FROM t WHERE n > 0.9;"));
  CHECK(lines == Lines{
                     "0: source t [0,1,2] => id integer, b text, n numeric(12,2)",
                     "1 <- 0: filter \">\"<numeric,numeric:boolean>(#2::numeric(12,2), "
                     "'0.9'::numeric(1,1)) => id integer, b text, n numeric(12,2)",
                     "2 <- 1: project cast(#0::integer)::bigint, #1::text, "
                     "cast(#2::numeric(12,2))::numeric(10,1) => column_1 bigint, b text, column_3 "
                     "numeric(10,1)",
                     "3 <- 2: output alerts => id bigint, b text, n numeric(10,1)",
                 });
}

TEST_CASE("columns that an insert does not name are NULL") {
  const operators::Plan plan =
      plan_of(std::string(kTables) + "INSERT INTO alerts (n, id) SELECT 5, id FROM t;");
  const auto& project = std::get<operators::ProjectNode>(plan.nodes[plan.nodes.size() - 2].op);
  CHECK(operators::describe(*project.exprs[0]) == "#0::bigint");
  CHECK(operators::describe(*project.exprs[1]) == "NULL::text");
  CHECK(operators::describe(*project.exprs[2]) == "cast('5'::integer)::numeric(38,2)");
}

TEST_CASE("final windows and unions of facts can be inserted") {
  CHECK(faults_of(std::string(kTables) +
                  "INSERT INTO alerts SELECT 1, b, n FROM minutes;"
                  "INSERT INTO more SELECT id FROM t UNION ALL SELECT id FROM t;")
            .empty());
}

TEST_CASE("inserts that do not fit are refused") {
  struct Slip {
    const char* insert;
    const char* fault;
  };
  const std::vector<Slip> slips = {
      {"INSERT INTO alert SELECT id FROM t",
       "2:13: foreign table \"alert\" does not exist; did you mean \"alerts\"?"},
      {"INSERT INTO per_b SELECT b FROM t",
       "2:13: \"per_b\" is a view; rows go to an output topic; declare the topic with CREATE "
       "FOREIGN "
       "TABLE and insert into that"},
      {"INSERT INTO alerts SELECT c, b FROM per_b",
       "2:27: an output topic takes append-only rows, these change; declare the table with mode "
       "'upsert' and a PRIMARY KEY, so that records replace each other; or make a view with emit = "
       "'final' and insert from it"},
      {"INSERT INTO alerts SELECT count(*) FROM t",
       "2:27: an output topic takes append-only rows, these change; declare the table with mode "
       "'upsert' and a PRIMARY KEY, so that records replace each other; or make a view with emit = "
       "'final' and insert from it"},
      {"INSERT INTO alerts SELECT b FROM t",
       "2:27: column \"id\" takes bigint, found text; write CAST(… AS bigint)"},
      {"INSERT INTO alerts (b) SELECT b FROM t",
       "2:13: column \"id\" is NOT NULL, and the query does not fill it"},
      {"INSERT INTO alerts (id, c) SELECT id, b FROM t",
       "2:25: \"alerts\" has no column \"c\"; there are id, b, n"},
      {"INSERT INTO alerts (id, id) SELECT id, id FROM t", "2:25: column \"id\" comes twice"},
      {"INSERT INTO alerts (id) SELECT id, b FROM t",
       "2:13: the query has 2 columns, \"alerts\" takes 1"},
      {"INSERT INTO more SELECT id, b FROM t", "2:13: the query has 2 columns, \"more\" takes 1"},
      {"INSERT INTO alerts VALUES (1, 'x', 2)",
       "2:13: INSERT takes its rows from a SELECT; write INSERT INTO topic SELECT …; single "
       "records "
       "are appended with kappa produce"},
      {"INSERT INTO alerts DEFAULT VALUES",
       "2:13: INSERT takes its rows from a SELECT; write INSERT INTO topic SELECT …; single "
       "records "
       "are appended with kappa produce"},
      {"INSERT INTO alerts SELECT id FROM t RETURNING id", "2:37: RETURNING is not supported yet"},
      {"INSERT INTO alerts SELECT id FROM t ON CONFLICT DO NOTHING",
       "2:37: ON CONFLICT is not supported yet; leave it out: a topic takes every row"},
      {"INSERT INTO alerts AS a SELECT id FROM t", "2:13: an alias is not supported yet"},
      {"WITH x AS (SELECT nope FROM t) INSERT INTO alerts SELECT id FROM t",
       "2:19: column \"nope\" does not exist; there are id, at, b, n"},
      {"INSERT INTO alerts SELECT id FROM t ORDER BY id",
       "2:37: ORDER BY is not supported yet in INSERT; order the rows when you query the view"},
      {"INSERT INTO t SELECT id FROM t",
       "2:13: \"t\" would feed itself: the query reads what comes of it; write to a topic of its "
       "own"},
      {"INSERT INTO t SELECT 1, window_start FROM minutes",
       "2:13: \"t\" would feed itself: the query reads what comes of it; write to a topic of its "
       "own"},
      {"INSERT INTO more SELECT id FROM t; INSERT INTO t SELECT id FROM more",
       "2:48: \"t\" would feed itself: the query reads what comes of it; write to a topic of its "
       "own"},
  };
  for (const Slip& slip : slips) {
    INFO(slip.insert);
    CHECK(faults_of(std::string(kTables) + slip.insert) == Lines{slip.fault});
  }
}

constexpr char kUpserts[] =
    "CREATE FOREIGN TABLE t (id bigint, at timestamptz, b text, n bigint) SERVER log OPTIONS "
    "(event_time 'at'); "
    "CREATE MATERIALIZED VIEW per_b AS SELECT b, count(*) AS c, sum(n) AS s FROM t GROUP BY b; "
    "CREATE MATERIALIZED VIEW days AS SELECT b, window_start, count(*) AS c FROM "
    "tumble(t, at, INTERVAL '1 day') GROUP BY b, window_start; "
    "CREATE FOREIGN TABLE o (c bigint, b text, d timestamptz, PRIMARY KEY (b)) SERVER log OPTIONS "
    "(mode 'upsert'); "
    "CREATE FOREIGN TABLE od (c bigint, b text, d timestamptz, PRIMARY KEY (d, b)) SERVER log "
    "OPTIONS (mode 'upsert');\n";

TEST_CASE("rows that change go to a table of mode 'upsert' whose key is theirs") {
  const operators::Plan plan = plan_of(std::string(kUpserts) +
                                       "INSERT INTO o SELECT c * 2, b FROM per_b WHERE c > 1;"
                                       "INSERT INTO od (b, d) SELECT b, window_start FROM days;");
  for (const operators::PlanNode& node : plan.nodes) {
    if (std::holds_alternative<operators::OutputNode>(node.op)) CHECK(node.changelog);
  }
  // What is only written to is not read.
  CHECK(plan.find_view("o") == operators::kNoNode);
  CHECK(operators::compacted_topics(plan) == std::set<std::string>{"o", "od"});
}

TEST_CASE("a table of mode 'upsert' takes no rows of another key") {
  struct Slip {
    const char* insert;
    const char* fault;
  };
  const std::vector<Slip> slips = {
      {"INSERT INTO o SELECT c, b, window_start FROM days",
       "2:28: the key of the rows is (b, d), that of \"o\" (b); declare PRIMARY KEY (b, d)"},
      {"INSERT INTO od SELECT c, b FROM per_b",
       "2:13: the key of the rows is (b), that of \"od\" (d, b); declare PRIMARY KEY (b)"},
      {"INSERT INTO od SELECT c, b, now_is FROM (SELECT b, c, TIMESTAMPTZ '2024-01-01' AS now_is "
       "FROM per_b) AS x",
       "2:29: the key of the rows is (b), that of \"od\" (d, b); declare PRIMARY KEY (b)"},
      {"INSERT INTO o (c) SELECT c FROM per_b",
       "2:26: \"o\" takes rows by their key, and these have none: the key column \"b\" of "
       "\"per_b\" "
       "is not selected; add b to the SELECT list"},
      {"INSERT INTO o SELECT c, upper(b) FROM per_b",
       "2:22: \"o\" takes rows by their key, and these have none: the key column \"b\" of "
       "\"per_b\" "
       "is not selected; add b to the SELECT list"},
      {"INSERT INTO o SELECT n, b FROM t",
       "2:22: \"o\" takes rows by their key, and these have none; read a view with a key, WITH "
       "(key "
       "= '…'), and select all of it"},
      {"INSERT INTO o SELECT count(*), 'all' FROM t",
       "2:22: \"o\" takes rows by their key, and these have none; there is one row of all, which "
       "nothing names: GROUP BY what its key is to be"},
      {"INSERT INTO o SELECT c, b FROM per_b; INSERT INTO o SELECT count(*), b FROM t GROUP BY b",
       "2:51: \"o\" holds the rows of one INSERT by their key, that at 2:1; make a view of all the "
       "rows, and insert from that"},
      {"CREATE FOREIGN TABLE w (id integer, n bigint, PRIMARY KEY (id)) SERVER log OPTIONS (mode "
       "'upsert'); INSERT INTO w SELECT id, count(*) FROM t GROUP BY id",
       "2:122: the key column \"id\" is integer, the key of the rows bigint; a key goes out as it "
       "is: declare \"id\" as bigint"},
  };
  for (const Slip& slip : slips) {
    INFO(slip.insert);
    CHECK(faults_of(std::string(kUpserts) + slip.insert) == Lines{slip.fault});
  }
}

TEST_CASE("a source of mode 'upsert' is a view of the latest row of each key") {
  const operators::Plan plan = plan_of(
      "CREATE FOREIGN TABLE c (id bigint, at timestamptz, name text, PRIMARY KEY (id)) SERVER log "
      "OPTIONS (mode 'upsert', event_time 'at'); "
      "CREATE FOREIGN TABLE t (id bigint) SERVER log; "
      "CREATE MATERIALIZED VIEW names AS SELECT name, count(*) AS n FROM c GROUP BY name; "
      "CREATE MATERIALIZED VIEW named AS SELECT t.id, c.name FROM t JOIN c ON c.id = t.id;");
  const operators::PlanNode& view = plan.node(plan.find_view("c"));
  CHECK(view.changelog);
  CHECK(view.event_time == 1);
  CHECK(std::get<operators::ViewNode>(view.op).key == std::vector<int>{0});
  CHECK(plan.node(view.inputs[0]).changelog);
  CHECK(
      faults_of("CREATE FOREIGN TABLE c (id bigint, PRIMARY KEY (id)) SERVER log OPTIONS (mode "
                "'upsert');\nINSERT INTO c SELECT id FROM c") ==
      Lines{"2:13: \"c\" would feed itself: the query reads what comes of it; write to a topic of "
            "its own"});
}

TEST_CASE("an output topic is written in the format of its table") {
  const schemas::ProductFiles files = {
      {"a.proto",
       "syntax = \"proto2\"; package a;\n"
       "message B { optional int64 id = 1; }\n"
       "message C { optional int64 id = 1; required string name = 2; }"}};
  const auto table = [](const std::string& columns, const std::string& message) {
    return "CREATE FOREIGN TABLE t (id bigint, name text) SERVER log;\n"
           "CREATE FOREIGN TABLE o (" +
           columns + ") SERVER log OPTIONS (format 'protobuf', proto 'a.proto', message 'a." +
           message + "');\n";
  };
  const operators::Plan plan =
      plan_of(table("id bigint", "B") + "INSERT INTO o SELECT id FROM t;", files);
  CHECK(std::holds_alternative<operators::OutputNode>(plan.nodes.back().op));
  CHECK(plan.sources.back().format == schemas::Format::kProtobuf);

  CHECK(faults_of(table("id text", "B") + "INSERT INTO o SELECT name FROM t;", files) ==
        Lines{"2:73: a.proto:2:13: field id is of type int64, but column id of type text takes "
              "string and enums"});
  CHECK(faults_of(table("id bigint, name text", "B") + "INSERT INTO o SELECT id, name FROM t;",
                  files) ==
        Lines{"2:86: a.proto:2:1: message a.B has no field name for column name; there are id"});
  // A source need not read all that a message requires, but an output has to write it.
  CHECK(faults_of(table("id bigint", "C"), files).empty());
  CHECK(faults_of(table("id bigint", "C") + "INSERT INTO o SELECT id FROM t;", files) ==
        Lines{"3:13: a.proto:3:36: field name is required, and no column of o fills it"});
}

}  // namespace kappa::sql
