#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

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
