#include "operators/final_output.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/sql/compiled.h"

namespace kappa::operators {
namespace {

const std::string kTables = R"(
CREATE FOREIGN TABLE hits (page text, n bigint, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json', event_time 'at');
CREATE FOREIGN TABLE kinds (page text, kind text) SERVER log OPTIONS (topic 'kinds', format 'json');
CREATE FOREIGN TABLE busy (page text, n bigint, time timestamptz)
SERVER log OPTIONS (topic 'busy', format 'json');
CREATE FOREIGN TABLE counts (page text, n bigint) SERVER log OPTIONS (topic 'counts', format 'json');
)";
const std::string kMinutes = R"(
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final', grace = '10 seconds') AS
SELECT window_start, window_end, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '1 minute') GROUP BY window_start, window_end, page;
)";

// The final outputs of a product of these tables, a line each: "busy 0: #2 + 59999999, aggregate".
std::vector<std::string> finals_of(const std::string& sql) {
  const Plan plan = sql::plan_of(kTables + sql);
  std::vector<std::string> lines;
  for (const FinalOutput& output : final_outputs(plan)) {
    CHECK(std::holds_alternative<OutputNode>(plan.node(output.output).op));
    const std::string holder = describe(plan, plan.node(output.held_by));
    lines.push_back(absl::StrCat(output.name.topic, " ", output.name.number, ": #", output.column,
                                 " + ", output.offset_us, ", ",
                                 holder.substr(0, holder.find(' '))));
  }
  return lines;
}

using Lines = std::vector<std::string>;

// A final view of windows, and an output with this as its time.
std::string windows(const std::string& function, const std::string& time) {
  return absl::StrCat("CREATE MATERIALIZED VIEW w WITH (emit = 'final') AS ",
                      "SELECT window_start, window_end, window_time, page, count(*) AS n FROM ",
                      function, " GROUP BY window_start, window_end, window_time, page; ",
                      "INSERT INTO busy SELECT page, n, ", time, " FROM w;");
}

}  // namespace

TEST_CASE("a final window's bound tells the event time of its row, if it can") {
  const std::string minute = "tumble(hits, at, INTERVAL '1 minute')";
  CHECK(finals_of(windows(minute, "window_start")) == Lines{"busy 0: #2 + 59999999, aggregate"});
  CHECK(finals_of(windows(minute, "window_time")) == Lines{"busy 0: #2 + 0, aggregate"});
  CHECK(finals_of(windows(minute, "window_end")) == Lines{"busy 0: #2 + -1, aggregate"});
  CHECK(finals_of(windows(minute, "window_end - INTERVAL '1 second'")) ==
        Lines{"busy 0: #2 + 999999, aggregate"});
  const std::string hop = "hop(hits, at, INTERVAL '10 seconds', INTERVAL '1 minute')";
  CHECK(finals_of(windows(hop, "window_start")) == Lines{"busy 0: #2 + 59999999, aggregate"});
  const std::string day = "cumulate(hits, at, INTERVAL '1 hour', INTERVAL '1 day')";
  CHECK(finals_of(windows(day, "window_end")) == Lines{"busy 0: #2 + -1, aggregate"});
  CHECK(finals_of(windows(day, "window_start")).empty());
  const std::string session = "session(hits, at, INTERVAL '1 minute')";
  CHECK(finals_of(windows(session, "window_end")) == Lines{"busy 0: #2 + -1, aggregate"});
  CHECK(finals_of(windows(session, "window_start")).empty());
}

TEST_CASE("rows of OVER that wait for the watermark are final by their own event time") {
  const std::string view = R"( AS SELECT page, at, count(*) OVER
(PARTITION BY page ORDER BY at RANGE '1 minute' PRECEDING) AS n FROM hits;
INSERT INTO busy SELECT page, n, at FROM v;)";
  CHECK(finals_of(absl::StrCat("CREATE MATERIALIZED VIEW v WITH (emit = 'final')", view)) ==
        Lines{"busy 0: #2 + 0, reorder"});
  CHECK(finals_of(absl::StrCat("CREATE MATERIALIZED VIEW v", view)).empty());
}

TEST_CASE("what passes rows on at once stands between a final view and its output") {
  CHECK(finals_of(kMinutes + R"(
CREATE MATERIALIZED VIEW kind_of WITH (key = 'page') AS SELECT page, kind FROM kinds;
CREATE MATERIALIZED VIEW many AS SELECT page, n, window_start, window_end AS ended FROM minutes WHERE n > 2;
CREATE MATERIALIZED VIEW once AS SELECT DISTINCT ON (page) page, n, ended FROM many;
INSERT INTO busy SELECT o.page, o.n * 2, o.ended FROM once AS o LEFT JOIN kind_of AS k ON k.page = o.page;
)") == Lines{"busy 0: #2 + -1, aggregate"});
}

TEST_CASE("an output is named by its topic and its number there, final or not") {
  CHECK(finals_of(kMinutes + R"(
INSERT INTO busy SELECT page, n, at FROM hits;
INSERT INTO counts SELECT page, n FROM minutes;
INSERT INTO busy SELECT page, n, window_start FROM minutes;
)") == Lines{"busy 1: #2 + 59999999, aggregate"});
}

TEST_CASE("the last one that holds rows back decides when they leave") {
  const Plan plan = sql::plan_of(kTables + R"(
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS
SELECT window_start, window_time, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '1 minute') GROUP BY window_start, window_time, page;
CREATE MATERIALIZED VIEW hours WITH (emit = 'final') AS
SELECT window_start, page, sum(n)::bigint AS n
FROM tumble(minutes, window_time, INTERVAL '1 hour') GROUP BY window_start, page;
INSERT INTO busy SELECT page, n, window_start FROM hours;
)");
  const std::vector<FinalOutput> outputs = final_outputs(plan);
  REQUIRE(outputs.size() == 1);
  CHECK(absl::StrContains(describe(plan, plan.node(outputs[0].held_by)), "size_us=3600000000"));
}

TEST_CASE("branches of a union are final if one watermark holds all of them back") {
  const std::string both = R"(
INSERT INTO busy SELECT page, n, window_start FROM minutes WHERE n > 9
UNION ALL SELECT page, -n, window_start FROM )";
  CHECK(finals_of(absl::StrCat(kMinutes, both, "minutes WHERE n < 3;")) ==
        Lines{"busy 0: #2 + 59999999, aggregate"});
  CHECK(finals_of(absl::StrCat(kMinutes, R"(
CREATE MATERIALIZED VIEW others WITH (emit = 'final', grace = '1 hour') AS
SELECT window_start, page, count(*) AS n
FROM tumble(hits, at, INTERVAL '1 minute') GROUP BY window_start, page;)",
                               both, "others;"))
            .empty());
}

}  // namespace kappa::operators
