#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

namespace kappa::sql {
namespace {

struct Slip {
  const char* sql;
  const char* fault;
};

const schemas::ProductFiles& proto_files() {
  static const auto& files = *new schemas::ProductFiles{
      {"events/sales.proto",
       "syntax = \"proto3\";\npackage omnishop;\n"
       "message Sale { string sale_id = 1; int64 at_ms = 2; int64 cents = 3; }\n"}};
  return files;
}

}  // namespace

TEST_CASE("a foreign table declares a source with its columns, keys and times") {
  const operators::Plan plan = plan_of(
      "CREATE FOREIGN TABLE sales (\n"
      "  sale_id text PRIMARY KEY,\n"
      "  at timestamptz OPTIONS (field 'ts', unit 'ms') NOT NULL,\n"
      "  store_id varchar NULL,\n"
      "  amount numeric(12,2),\n"
      "  a bool, b boolean, c int, d int4, e integer, f int8, g bigint,\n"
      "  h double precision, i float8, j bytea, k date, l interval, m decimal(30)\n"
      ") SERVER log OPTIONS (topic 'shop.sales-1', format 'json', event_time 'at',\n"
      "  out_of_orderness '5 seconds', max_future '10 minutes', idle_timeout '1 minute',\n"
      "  mode 'append')");
  REQUIRE(plan.sources.size() == 1);
  const schemas::Source& sales = plan.sources[0];
  CHECK(sales.name == "sales");
  CHECK(sales.topic == "shop.sales-1");
  CHECK(sales.format == schemas::Format::kJson);
  CHECK(sales.primary_key == std::vector<int>{0});
  CHECK(sales.event_time == 1);
  CHECK(sales.out_of_orderness_us == 5'000'000);
  CHECK(sales.max_future_us == 600'000'000);
  CHECK(sales.idle_timeout_us == 60'000'000);
  CHECK(sales.columns[0].not_null);
  CHECK(sales.columns[1].field == "ts");
  CHECK(sales.columns[1].unit == schemas::TimeUnit::kMillis);
  CHECK(sales.columns[1].not_null);
  CHECK_FALSE(sales.columns[2].not_null);
  CHECK(sales.columns[3].field == "amount");
  const std::vector<Type> types = {Type::text(),
                                   Type::timestamptz(),
                                   Type::text(),
                                   Type::numeric(12, 2),
                                   Type::boolean(),
                                   Type::boolean(),
                                   Type::integer(),
                                   Type::integer(),
                                   Type::integer(),
                                   Type::bigint(),
                                   Type::bigint(),
                                   Type::double_precision(),
                                   Type::double_precision(),
                                   Type::bytea(),
                                   Type::date(),
                                   Type::interval(),
                                   Type::numeric(30, 0)};
  REQUIRE(sales.columns.size() == types.size());
  for (size_t i = 0; i < types.size(); ++i) CHECK(sales.columns[i].type == types[i]);
}

TEST_CASE("a foreign table's options have defaults") {
  const operators::Plan plan = plan_of("CREATE FOREIGN TABLE sales (x text) SERVER log");
  const schemas::Source& sales = plan.sources[0];
  CHECK(sales.topic == "sales");
  CHECK(sales.format == schemas::Format::kJson);
  CHECK(sales.primary_key.empty());
  CHECK_FALSE(sales.event_time.has_value());
  CHECK(sales.out_of_orderness_us == 0);
  CHECK(sales.max_future_us == 3'600'000'000);
  CHECK_FALSE(sales.idle_timeout_us.has_value());
  // Nothing reads it, so nothing consumes its topic.
  CHECK(plan.nodes.empty());
}

TEST_CASE("the record's timestamp can be the event time") {
  const operators::Plan plan = plan_of(
      "CREATE FOREIGN TABLE t (x text) SERVER log OPTIONS (event_time 'kafka_timestamp', "
      "out_of_orderness '1 second')");
  CHECK(plan.sources[0].event_time == 2);  // behind x and kafka_key
  CHECK(plan.sources[0].out_of_orderness_us == 1'000'000);
}

TEST_CASE("a key of several columns makes them not null") {
  const operators::Plan plan =
      plan_of("CREATE FOREIGN TABLE t (a text, b text, c text, PRIMARY KEY (c, a)) SERVER log");
  CHECK(plan.sources[0].primary_key == std::vector<int>{2, 0});
  CHECK(plan.sources[0].columns[0].not_null);
  CHECK_FALSE(plan.sources[0].columns[1].not_null);
  CHECK(plan.sources[0].columns[2].not_null);
}

TEST_CASE("a Protobuf source is checked against its message") {
  const operators::Plan plan = plan_of(
      "CREATE FOREIGN TABLE sales (sale_id text, at timestamptz OPTIONS (field 'at_ms', unit "
      "'ms'), amount numeric(12,2) OPTIONS (field 'cents', minor_units 'true')) SERVER log "
      "OPTIONS (format 'protobuf', proto 'events/sales.proto', message 'omnishop.Sale')",
      proto_files());
  CHECK(plan.sources[0].format == schemas::Format::kProtobuf);
  CHECK(plan.sources[0].proto_file == "events/sales.proto");
  CHECK(plan.sources[0].proto_message == "omnishop.Sale");
  CHECK(plan.sources[0].columns[2].minor_units);

  const auto fault = [](const std::string& options) {
    const CompiledPlan compiled =
        compile_product({{"p.sql",
                          "CREATE FOREIGN TABLE sales (store text) SERVER log OPTIONS (format "
                          "'protobuf', " +
                              options + ")"}},
                        proto_files());
    REQUIRE(compiled.diagnostics.size() == 1);
    CHECK(compiled.diagnostics[0].column == 80);
    return compiled.diagnostics[0].message;
  };
  CHECK_THAT(fault("proto 'no.proto', message 'omnishop.Sale'"), Catch::Contains("no.proto"));
  CHECK_THAT(fault("proto 'events/sales.proto', message 'omnishop.Sail'"),
             Catch::Contains("omnishop.Sail"));
  CHECK_THAT(fault("proto 'events/sales.proto', message 'omnishop.Sale'"),
             Catch::Contains("store"));
}

TEST_CASE("faulty columns of a foreign table are refused with what would be right") {
  const std::vector<Slip> slips = {
      {"()",
       "1:22: \"t\" declares no column; declare the columns that are to be read: (name type, "
       "…)"},
      {"(x int, x text)", "1:32: \"t\" has two columns \"x\""},
      {"(x numeric)",
       "1:27: numeric needs its digits; write numeric(precision, scale), such as numeric(12,2)"},
      {"(x numeric(40,2))",
       "1:27: numeric(40,2) is not a type; precision is 1 to 38 digits, of which scale (0 to "
       "precision) stand behind the point"},
      {"(x numeric(4,5))",
       "1:27: numeric(4,5) is not a type; precision is 1 to 38 digits, of which scale (0 to "
       "precision) stand behind the point"},
      {"(x numeric(4,-2))",
       "1:27: numeric(4,-2) is not a type; precision is 1 to 38 digits, of which scale (0 to "
       "precision) stand behind the point"},
      {"(x varchar(10))", "1:27: varchar takes no modifier; use text: no length is enforced"},
      {"(x timestamptz(3))", "1:27: timestamptz takes no modifier; use timestamptz"},
      {"(x timestamp)",
       "1:27: type timestamp without time zone is not supported yet; use timestamptz: every time "
       "is a moment in UTC"},
      {"(x smallint)", "1:27: type smallint is not supported yet; use integer"},
      {"(x real)", "1:27: type real is not supported yet; use double precision"},
      {"(x char(3))", "1:27: type character(n) is not supported yet; use text"},
      {"(x jsonb)", "1:27: type jsonb is not supported yet; use text"},
      {"(x text[])", "1:27: an array type is not supported yet"},
      {"(x txt)", "1:27: type \"txt\" does not exist; did you mean \"text\"?"},
      {"(x my.text)", "1:27: a type's name has no schema here"},
      {"(x text DEFAULT 'a')",
       "1:32: DEFAULT is not supported yet; a missing field is NULL; use COALESCE where you read "
       "it"},
      {"(x text CHECK (x > 'a'))", "1:32: CHECK is not supported yet; filter with WHERE in a view"},
      {"(x text UNIQUE)", "1:32: UNIQUE is not supported yet; write PRIMARY KEY"},
      {"(x text REFERENCES y (x))", "1:32: REFERENCES is not supported yet"},
      {"(x text GENERATED ALWAYS AS ('a') STORED)",
       "1:32: GENERATED is not supported yet; compute it in a view"},
      {"(x text COLLATE \"C\")",
       "1:32: COLLATE is not supported yet; text is ordered by its bytes"},
      {"(x text CONSTRAINT named NOT NULL)",
       "1:32: a constraint's name is not supported yet; leave CONSTRAINT and its name out"},
      {"(x text NULL NOT NULL)", "1:37: a column is NULL or NOT NULL, not both"},
      {"(x text, LIKE y)", "1:38: LIKE is not supported yet; declare the columns"},
      {"(x text, CHECK (x > 'a'))",
       "1:33: CHECK is not supported yet; filter with WHERE in a view"},
      {"(x text PRIMARY KEY, PRIMARY KEY (x))",
       "1:45: \"t\" has two primary keys; name all key columns in one: PRIMARY KEY (a, b)"},
      {"(x text, PRIMARY KEY (y))", "1:33: \"t\" has no column \"y\"; there is x"},
      {"(x text, PRIMARY KEY (x, x))", "1:33: key column \"x\" comes twice"},
      {"(x text OPTIONS (fiel 'a'))",
       "1:41: a column has no option \"fiel\"; did you mean \"field\"?"},
      {"(x text OPTIONS (unit 'ms'))",
       "1:41: option \"unit\" is for timestamptz and date, \"x\" is text"},
      {"(x timestamptz OPTIONS (unit 'min'))",
       "1:48: option \"unit\": \"min\" is not a unit of time; write 's', 'ms', 'us' or 'ns'"},
      {"(x numeric(4,2) OPTIONS (minor_units 'yes'))",
       "1:49: option \"minor_units\": \"yes\" is not a truth value; write 'true' or 'false'"},
      {"(x text OPTIONS (minor_units 'true'))",
       "1:41: option \"minor_units\" is for numeric, \"x\" is text"},
      {"(x numeric(4,2) OPTIONS (minor_units 'true'))",
       "1:22: column \"x\": option \"minor_units\" is for format 'protobuf'"},
  };
  for (const Slip& slip : slips) {
    INFO(slip.sql);
    CHECK(faults_of(std::string("CREATE FOREIGN TABLE t ") + slip.sql + " SERVER log") ==
          Lines{slip.fault});
  }
}

TEST_CASE("faulty options of a foreign table are refused with what would be right") {
  const std::vector<Slip> slips = {
      {"topc 'a'", "1:69: a foreign table has no option \"topc\"; did you mean \"topic\"?"},
      {"frequency 'a'",
       "1:69: a foreign table has no option \"frequency\"; there are topic, format, proto, "
       "message, "
       "event_time, out_of_orderness, max_future, idle_timeout, mode"},
      {"topic 'a b'",
       "1:69: \"a b\" is not the name of a topic; a topic is named with 1 to 249 letters, digits, "
       "'.', '_' and '-'"},
      {"topic ''",
       "1:69: \"\" is not the name of a topic; a topic is named with 1 to 249 letters, digits, "
       "'.', '_' and '-'"},
      {"topic 'a', topic 'b'", "1:80: option \"topic\" comes twice"},
      {"format 'avro'",
       "1:69: format \"avro\" is not supported yet; there are 'json' and 'protobuf'"},
      {"format 'protobuf'",
       "1:69: format 'protobuf' needs the option \"proto\"; write proto 'events/sales.proto', "
       "message 'package.Message'"},
      {"format 'protobuf', proto 'a.proto'",
       "1:69: format 'protobuf' needs the option \"message\"; write proto 'events/sales.proto', "
       "message 'package.Message'"},
      {"message 'a.B'", "1:69: option \"message\" is for format 'protobuf'; add format 'protobuf'"},
      {"event_time 'y'", "1:69: \"t\" has no column \"y\"; there are x, at"},
      {"event_time 'x'", "1:69: the event time \"x\" is text; declare it as timestamptz"},
      {"event_time 'kafka_offset'",
       "1:69: the event time \"kafka_offset\" is bigint; name a timestamptz column, or "
       "kafka_timestamp"},
      {"event_time 'kafka_timestmp'",
       "1:69: \"t\" has no column \"kafka_timestmp\"; did you mean \"kafka_timestamp\"?"},
      {"out_of_orderness '5 seconds'",
       "1:69: option \"out_of_orderness\" needs an event time; add event_time 'column'"},
      {"idle_timeout '5 seconds'",
       "1:69: option \"idle_timeout\" needs an event time; add event_time 'column'"},
      {"event_time 'at', out_of_orderness '-5 seconds'",
       "1:86: option \"out_of_orderness\": \"-5 seconds\" is negative; write a text such as '10 "
       "seconds', '5 minutes' or '30 days'"},
      {"event_time 'at', max_future '1 month'",
       "1:86: option \"max_future\": \"1 month\" has months or years, whose length varies; write a "
       "text such as '10 seconds', '5 minutes' or '30 days'"},
      {"event_time 'at', max_future 'soon'",
       "1:86: option \"max_future\": \"soon\" is not a span of time; write a text such as '10 "
       "seconds', '5 minutes' or '30 days'"},
      {"mode 'upsert'",
       "1:69: mode 'upsert' needs a PRIMARY KEY; name the columns that records replace each other "
       "by: PRIMARY KEY (a, b)"},
      {"mode 'both'",
       "1:69: option \"mode\": \"both\" is not a mode; write 'append' (every record is a row) or "
       "'upsert' (a record is the row of its key, one without a value deletes it)"},
  };
  for (const Slip& slip : slips) {
    INFO(slip.sql);
    CHECK(faults_of(std::string("CREATE FOREIGN TABLE t (x text, at timestamptz) SERVER log "
                                "OPTIONS (") +
                    slip.sql + ")") == Lines{slip.fault});
  }
}

TEST_CASE("what else the grammar allows for a foreign table is refused by name") {
  const std::vector<Slip> slips = {
      {"CREATE FOREIGN TABLE t (x int) SERVER kafka",
       "1:22: there is no server \"kafka\"; write SERVER log"},
      {"CREATE FOREIGN TABLE IF NOT EXISTS t (x text) SERVER log",
       "1:36: IF NOT EXISTS is not supported yet; leave it out: a product is declared as a whole"},
      {"CREATE FOREIGN TABLE t (x text) INHERITS (a) SERVER log",
       "1:43: INHERITS or PARTITION OF is not supported yet"},
      {"CREATE FOREIGN TABLE s.t (x text) SERVER log",
       "1:22: a schema before a table's name is not supported yet; name the table alone: a product "
       "has one schema"},
      {"CREATE FOREIGN TABLE t (x text) SERVER log; CREATE FOREIGN TABLE t (x text) SERVER log",
       "1:66: there is a table \"t\" already"},
      {"CREATE FOREIGN TABLE t (x text) SERVER log; CREATE FOREIGN TABLE u (x text) SERVER log "
       "OPTIONS (topic 't')",
       "1:97: topic \"t\" already belongs to \"t\"; declare all columns in one table, and make "
       "views over it"},
  };
  for (const Slip& slip : slips) {
    INFO(slip.sql);
    CHECK(faults_of(slip.sql) == Lines{slip.fault});
  }
}

}  // namespace kappa::sql
