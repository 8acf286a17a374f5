#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

const std::string kShop = R"(
CREATE FOREIGN TABLE sales (
  id text, at timestamptz, store text, amount numeric(12,2), PRIMARY KEY (id)
) SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at', out_of_orderness '5 seconds');
CREATE FOREIGN TABLE alerts (store text, n bigint) SERVER log OPTIONS (topic 'alerts', format 'json');
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final', grace = '10 seconds') AS
SELECT window_start, store, count(*) AS n, count(DISTINCT id) FILTER (WHERE amount > 10) AS large
FROM tumble(sales, at, INTERVAL '1 minute') GROUP BY window_start, store;
INSERT INTO alerts SELECT store, n FROM minutes WHERE n > 100 AND store IS NOT NULL;
)";

}  // namespace

TEST_CASE("a view is explained as a tree of its plan, down to its sources") {
  const Scratch scratch;
  const Ended ended = kappa({"explain", scratch.file("shop.sql", kShop), "minutes"});
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(ended.out == R"(view minutes (window_start, store, n, large)  [append-only]
│  state: that of the aggregate
└─ project window_start, store, count, count_distinct  [append-only]
   └─ aggregate by store over windows of '00:01:00' of at, grace '00:00:10': count(*), count(DISTINCT id) FILTER (WHERE column_4); given out when the window closes  [append-only]
      │  exchange: by store
      │  state: a row a group, by store, window_start; a row a group and id
      │  late: rows of windows that have closed are refused
      └─ project store, at, id, (amount > 10) AS column_4  [append-only]
         └─ source sales (topic sales, JSON): id, at, store, amount; watermark at - '00:00:05'  [append-only]
)");
}

TEST_CASE("an output is explained by its topic, down to the view that it reads") {
  const Scratch scratch;
  const Ended ended = kappa({"explain", scratch.file("shop.sql", kShop), "alerts"});
  CHECK(ended.code == 0);
  CHECK(ended.out == R"(output to topic alerts  [append-only]
│  state: the outbox, until it is published
└─ filter ((n > 100) AND NOT (store IS NULL))  [append-only]
   └─ project store, n  [append-only]
      └─ view minutes  [append-only]
)");
}

TEST_CASE("each kind of window is explained in its own words") {
  const Scratch scratch;
  const std::string file = scratch.file("shop.sql", kShop + R"(
CREATE MATERIALIZED VIEW hops AS SELECT window_start, count(*) AS n
FROM hop(sales, at, INTERVAL '1 minute', INTERVAL '1 hour') GROUP BY window_start;
CREATE MATERIALIZED VIEW so_far AS SELECT window_start, window_end, count(*) AS n
FROM cumulate(sales, at, INTERVAL '1 hour', INTERVAL '1 day') GROUP BY window_start, window_end;
CREATE MATERIALIZED VIEW visits WITH (grace = '10 seconds') AS
SELECT store, window_start, window_end, count(DISTINCT amount) AS n
FROM session(sales, at, INTERVAL '30 minutes') GROUP BY store, window_start, window_end;
)");
  const auto says = [&](const char* view, const std::string& text) {
    const std::string out = kappa({"explain", file, view}).out;
    INFO(out);
    CHECK(out.find(text) != std::string::npos);
  };
  says("hops", "aggregate over windows of '01:00:00' every '00:01:00' of at: count(*)");
  says("so_far", "aggregate over windows of '1 day' growing by '01:00:00' of at: count(*)");
  says("so_far", "state: a row a group, by window_end\n");
  says("visits",
       "aggregate by store over sessions with gaps of up to '00:30:00' of at, grace "
       "'00:00:10': count(DISTINCT amount)");
  says("visits", "state: a row a session, by store, window_start; a row a session and amount\n");
}

TEST_CASE("OVER, DISTINCT and HAVING are explained in their own words") {
  const Scratch scratch;
  const std::string file = scratch.file("shop.sql", kShop + R"(
CREATE MATERIALIZED VIEW velocity AS
WITH once AS (SELECT DISTINCT ON (id) id, store, at FROM sales)
SELECT id, count(*) OVER w AS n, lag(id, 2) OVER (ORDER BY at ROWS 5 PRECEDING) AS before FROM once
WINDOW w AS (PARTITION BY store ORDER BY at RANGE BETWEEN '8 days' PRECEDING AND '7 days' PRECEDING);
CREATE MATERIALIZED VIEW finally WITH (emit = 'final') AS
SELECT id, count(*) OVER (ORDER BY at ROWS 5 PRECEDING) AS n FROM sales;
CREATE MATERIALIZED VIEW steps AS
SELECT id, lag(amount) OVER w AS before, first_value(at) OVER w AS first FROM sales
WINDOW w AS (PARTITION BY store ORDER BY at RANGE '30 days' PRECEDING);
CREATE MATERIALIZED VIEW busy AS SELECT store, count(*) AS n FROM sales GROUP BY store HAVING count(*) > 9;
)");
  CHECK(kappa({"explain", file, "velocity"}).out == R"(view velocity (id, n, before)  [append-only]
│  exchange: by id
│  state: a row a key, by id
└─ project id, count, lag  [append-only]
   └─ over all rows: lag(id, 2) [-5 rows, now]  [append-only]
      │  exchange: to one worker
      │  state: the rows that frames may hold, in memory, by at, number
      └─ over store: count(*) [-'8 days', -'7 days']  [append-only]
         │  exchange: by store
         │  state: the events that frames may hold, in a log, by store, at, number; running values, made from them
         │  late: rows below the watermark are answered and noted
         └─ project at, store, id  [append-only]
            └─ distinct, the first row by id  [append-only]
               │  exchange: by id
               │  state: a row a key, by id
               └─ project id, store, at  [append-only]
                  └─ source sales (topic sales, JSON): id, at, store, amount; watermark at - '00:00:05'  [append-only]
)");
  CHECK(kappa({"explain", file, "finally"}).out == R"(view finally (id, n)  [append-only]
│  exchange: by id
│  state: a row a key, by id; the first row of a key stays
└─ project id, count  [append-only]
   └─ over all rows: count(*) [-5 rows, now]  [append-only]
      │  exchange: to one worker
      │  state: the rows that frames may hold, in memory, by at, number
      └─ reorder by at  [append-only]
         │  state: the rows that wait for the watermark, by record
         │  late: rows below the watermark are refused
         └─ project at, id  [append-only]
            └─ source sales (topic sales, JSON): id, at, store, amount; watermark at - '00:00:05'  [append-only]
)");
  CHECK(absl::StrContains(
      kappa({"explain", file, "steps"}).out,
      "state: the events that frames may hold, in a log, by store, at, number\n"));
  CHECK(kappa({"explain", file, "busy"}).out == R"(view busy (store, n)  [changelog]
│  state: a row a key, by store
└─ filter (count > 9)  [changelog]
   └─ aggregate by store: count(*)  [changelog]
      │  exchange: by store
      │  state: a row a group, by store
      └─ project store  [append-only]
         └─ source sales (topic sales, JSON): id, at, store, amount; watermark at - '00:00:05'  [append-only]
)");
}

TEST_CASE("a lookup is explained with what it equates, how its sides travel, and what it keeps") {
  const Scratch scratch;
  const std::string file = scratch.file("shop.sql", R"(
CREATE FOREIGN TABLE limits (card text, most bigint, at timestamptz, PRIMARY KEY (card))
SERVER log OPTIONS (topic 'limits', format 'json', event_time 'at');
CREATE FOREIGN TABLE payments (id bigint, card text, amount bigint)
SERVER log OPTIONS (topic 'payments', format 'json');
CREATE MATERIALIZED VIEW limit_of WITH (retention = '1 day') AS SELECT card, most, at FROM limits;
CREATE MATERIALIZED VIEW above AS
SELECT p.id, l.most FROM payments p LEFT JOIN limit_of l ON l.card = upper(p.card) AND p.amount > l.most;
)");
  CHECK(kappa({"explain", file, "above"}).out == R"(view above (id, most)  [append-only]
│  state: a row a key, by topic, partition, offset, ordinal
└─ project id, most  [append-only]
   └─ left lookup on column_4 = card AND (amount > most)  [append-only]
      │  exchange: left by column_4
      │  state: the right side's rows, by card; until at + '1 day'
      ├─ project id, card, amount, upper(card) AS column_4  [append-only]
      │  └─ source payments (topic payments, JSON): id, card, amount  [append-only]
      └─ view limit_of  [append-only]
)");
}

TEST_CASE("a plan comes as JSON, all views and outputs of a product in order") {
  const Scratch scratch;
  const Ended ended = kappa({"explain", scratch.file("shop.sql", kShop), "--output", "json"});
  const auto json = nlohmann::json::parse(ended.out);
  REQUIRE(json.size() == 2);
  CHECK(json[0]["edge"] == "append-only");
  const auto& aggregate = json[0]["inputs"][0]["inputs"][0];
  CHECK(aggregate["exchange"] == nlohmann::json::array({"store"}));
  CHECK(json[1]["operation"] == "output to topic alerts");
}

TEST_CASE("what cannot be explained is refused with the reason") {
  const Scratch scratch;
  const std::string file = scratch.file("shop.sql", kShop);
  const Ended unknown = kappa({"explain", file, "minuets"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("there is no view or output \"minuets\"") != std::string::npos);
  CHECK(unknown.err.find("minutes") != std::string::npos);
  const Ended faulty =
      kappa({"explain", scratch.file("bad.sql", "CREATE MATERIALIZED VIEW v AS SELECT a FROM b;")});
  CHECK(faulty.code == 1);
  CHECK(faulty.err.find("bad.sql:1:") != std::string::npos);
}

}  // namespace kappa::cli
