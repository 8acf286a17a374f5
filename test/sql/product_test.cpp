#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

// Products as users write them: they compile, and the speed path has the shape it should.
namespace kappa::sql {
namespace {

constexpr char kBids[] =
    "CREATE FOREIGN TABLE bids (auction bigint, bidder bigint, price bigint, channel text, url "
    "text, date_time timestamptz OPTIONS (unit 'ms'), extra text) SERVER log OPTIONS (topic "
    "'bids', "
    "event_time 'date_time', out_of_orderness '4 seconds');\n";

}  // namespace

TEST_CASE("Nexmark 1 is a projection") {
  CHECK(lines_of(plan_of(std::string(kBids) +
                         "CREATE MATERIALIZED VIEW q1 AS SELECT auction, bidder, 0.908 * price AS "
                         "price, date_time, extra FROM bids WHERE price > 100")) ==
        Lines{
            "0: source bids [0,1,2,5,6] => auction bigint, bidder bigint, price bigint, date_time "
            "timestamp with time zone, extra text event_time #3",
            "1 <- 0: filter \">\"<bigint,bigint:boolean>(#2::bigint, '100'::bigint) => auction "
            "bigint, bidder bigint, price bigint, date_time timestamp with time zone, extra text "
            "event_time #3",
            "2 <- 1: project #0::bigint, #1::bigint, "
            "\"*\"<numeric,numeric:numeric(22,3)>('0.908'::numeric(3,3), "
            "cast(#2::bigint)::numeric(19,0)), #3::timestamp with time zone, #4::text => auction "
            "bigint, bidder bigint, column_3 numeric(22,3), date_time timestamp with time zone, "
            "extra text event_time #3",
            "3 <- 2: view q1 key [] by record conflict=0 emit=changes event_time=#3 "
            "retention_us=none => auction bigint, bidder bigint, price numeric(22,3), date_time "
            "timestamp with time zone, extra text event_time #3",
        });
}

TEST_CASE("Nexmark 17 is an aggregate over plain columns and a day") {
  CHECK(
      lines_of(plan_of(
          std::string(kBids) +
          "CREATE MATERIALIZED VIEW q17 AS SELECT auction, date_trunc('day', date_time) AS day, "
          "count(*) AS total_bids, count(*) FILTER (WHERE price < 10000) AS rank1_bids, "
          "min(price) AS min_price, max(price) AS max_price, avg(price) AS avg_price, sum(price) "
          "AS sum_price FROM bids GROUP BY auction, day")) ==
      Lines{
          "0: source bids [0,2,5] => auction bigint, price bigint, date_time timestamp with time "
          "zone event_time #2",
          "1 <- 0: project #0::bigint, \"date_trunc\"<text,timestamp with time zone:timestamp "
          "with time zone>('day'::text, #2::timestamp with time zone), "
          "\"<\"<bigint,bigint:boolean>(#1::bigint, '10000'::bigint), #1::bigint => auction "
          "bigint, column_2 timestamp with time zone, column_3 boolean, price bigint",
          "2 <- 1: aggregate by [0,1] count():bigint count() filter #2:bigint min(#3):bigint "
          "max(#3):bigint avg(#3):numeric(38,6) sum(#3):numeric(38,0) emit=changes "
          "retention_us=none => auction bigint, column_2 timestamp with time zone, count bigint, "
          "count bigint, min bigint, max bigint, avg numeric(38,6), sum numeric(38,0) changelog",
          "3 <- 2: view q17 key [0,1] conflict=0 emit=changes event_time=none retention_us=none "
          "=> auction bigint, day timestamp with time zone, total_bids bigint, rank1_bids bigint, "
          "min_price bigint, max_price bigint, avg_price numeric(38,6), sum_price numeric(38,0) "
          "changelog",
      });
}

TEST_CASE("counts and maxima in windows of ten seconds read just their columns") {
  const operators::Plan plan = plan_of(
      std::string(kBids) +
      "CREATE MATERIALIZED VIEW tumbled AS SELECT bidder, window_start, count(*) AS n, max(price) "
      "AS "
      "m FROM tumble(bids, date_time, INTERVAL '10 seconds') GROUP BY bidder, window_start");
  CHECK(std::get<operators::SourceNode>(plan.nodes[0].op).wanted == std::vector<int>{1, 2, 5});
  CHECK(plan.nodes.size() == 5);
}

TEST_CASE("a source reads of its records what is used, and its fingerprint does not tell") {
  const std::string view = "CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM t;";
  const std::string table = "CREATE FOREIGN TABLE t (a text, kafka_key text, b text) SERVER log;";
  const operators::Plan without = plan_of(table + view);
  const auto wanted = [](const operators::Plan& plan) {
    return std::get<operators::SourceNode>(plan.nodes[0].op).wanted;
  };
  CHECK(wanted(without).empty());
  const operators::Plan with =
      plan_of(table + view +
              "CREATE MATERIALIZED VIEW k AS SELECT kafka_key, kafka_offset FROM t "
              "WHERE kafka_timestamp IS NOT NULL;");
  // The declared kafka_key; behind the three declared columns the record's timestamp, headers,
  // partition and offset.
  CHECK(wanted(with) == std::vector<int>{1, 3, 6});
  CHECK(with.node(with.find_view("n")).fingerprint ==
        without.node(without.find_view("n")).fingerprint);
  CHECK(with.nodes[0].fingerprint == without.nodes[0].fingerprint);
}

TEST_CASE("a star leaves out what records have, in joins too") {
  const operators::Plan plan = plan_of(
      "CREATE FOREIGN TABLE t (a text, b text) SERVER log;"
      "CREATE MATERIALIZED VIEW v WITH (key = 'a') AS SELECT * FROM t;"
      "CREATE MATERIALIZED VIEW j AS SELECT t.*, kafka_offset FROM t JOIN v ON v.a = t.b;");
  const auto names = [](const operators::Schema& schema) {
    std::string text;
    for (const operators::Field& field : schema) text += field.name + " ";
    return text;
  };
  CHECK(names(plan.node(plan.find_view("v")).schema) == "a b ");
  CHECK(std::get<operators::SourceNode>(plan.nodes[0].op).wanted == std::vector<int>{0, 1, 6});
}

TEST_CASE("a shop's product compiles as a whole") {
  const operators::Plan plan = plan_of(R"(
-- Sales, and what is made of them.
CREATE FOREIGN TABLE sales (
  sale_id text PRIMARY KEY, event_time timestamptz NOT NULL, store_id text NOT NULL,
  customer_id text, amount numeric(12,2), currency text
) SERVER log OPTIONS (topic 'sales', format 'json', event_time 'event_time',
                      out_of_orderness '5 seconds', idle_timeout '1 minute');

CREATE FOREIGN TABLE clicks (
  event_time timestamptz, customer_id text, url text
) SERVER log OPTIONS (topic 'clicks', event_time 'event_time', out_of_orderness '2 seconds');

CREATE MATERIALIZED VIEW sales_per_minute WITH (grace = '10 seconds', retention = '30 days') AS
SELECT window_start, store_id, sum(amount) AS revenue, count(*) AS sales
FROM tumble(sales, event_time, INTERVAL '1 minute') GROUP BY window_start, store_id;

CREATE MATERIALIZED VIEW customers AS
SELECT customer_id, count(*) AS sales, sum(amount) AS spent, avg(amount) AS basket,
       max(event_time) AS last_seen, count(DISTINCT store_id) AS stores,
       count(*) FILTER (WHERE amount < 1) AS micro_sales
FROM sales WHERE customer_id IS NOT NULL GROUP BY customer_id;

CREATE MATERIALIZED VIEW activity AS
SELECT event_time, customer_id, 'sale' AS kind FROM sales
UNION ALL
SELECT event_time, customer_id, CASE WHEN url LIKE '/buy%' THEN 'intent' ELSE 'click' END FROM clicks;

CREATE MATERIALIZED VIEW activity_per_minute WITH (emit = 'final') AS
SELECT window_start, kind, count(*) AS n
FROM tumble(activity, event_time, INTERVAL '1 minute') GROUP BY window_start, kind;

CREATE MATERIALIZED VIEW revenue_per_hour AS
SELECT window_start, sum(revenue) AS revenue
FROM tumble(sales_per_minute, window_time, INTERVAL '1 hour') GROUP BY window_start;

CREATE FOREIGN TABLE large_sales (sale_id text, amount numeric(12,2)) SERVER log;
INSERT INTO large_sales SELECT sale_id, amount FROM sales WHERE amount > 1000;
)");
  CHECK(plan.views().size() == 5);
  CHECK(plan.statements.size() == 9);
  for (const operators::PlanNode& node : plan.nodes) {
    CHECK(node.fingerprint != 0);
    CHECK(&plan.node(node.id) == &node);
    for (operators::NodeId input : node.inputs) CHECK(input < node.id);
  }
  CHECK(query_faults("SELECT c.customer_id, c.spent, a.n FROM customers c LEFT JOIN (SELECT "
                     "customer_id, count(*) AS n FROM activity WHERE kind = 'intent' GROUP BY 1) a "
                     "ON a.customer_id = c.customer_id WHERE c.spent > 100 ORDER BY c.spent DESC "
                     "LIMIT 10",
                     plan)
            .empty());
}

}  // namespace kappa::sql
