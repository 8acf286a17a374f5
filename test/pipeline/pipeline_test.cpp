#include "engine/runtime/pipeline.h"

#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/runtime/query_executor.h"
#include "engine/sql/catalog.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;
using Rows = std::vector<std::string>;

const std::string kSales = R"(
CREATE FOREIGN TABLE sales (store text, amount integer, at timestamptz)
SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at');
)";

std::string sale(const std::string& store, int amount, int second) {
  return absl::StrCat(R"({"store":")", store, R"(","amount":)", amount,
                      R"(,"at":"2024-01-01T00:00:)", second < 10 ? "0" : "", second, R"(Z"})");
}

constexpr int64_t kStartMs = 1'704'067'200'000;  // 2024-01-01

TEST_CASE("a grouped view counts what arrives") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW per_store AS
SELECT store, count(*) AS n, sum(amount) AS total, min(amount) AS low, avg(amount) AS mean
FROM sales GROUP BY store;)");
  product.append("sales", sale("a", 10, 1), kStartMs + 1000);
  product.append("sales", sale("b", 5, 2), kStartMs + 2000);
  product.append("sales", sale("a", 15, 3), kStartMs + 3000, 1);
  CHECK(product.rows("per_store").empty());
  require_ok(product->advance());
  CHECK(product.rows("per_store") == Rows{"a|2|25|10|12.500000", "b|1|5|5|5.000000"});
}

TEST_CASE("a window refuses rows once its end and grace are behind the watermark") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW per_window WITH (grace = '5 seconds') AS
SELECT window_start, store, count(*) AS n
FROM tumble(sales, at, INTERVAL '10 seconds') GROUP BY window_start, store;)");
  product.append("sales", sale("a", 1, 3), kStartMs);
  product.append("sales", sale("a", 1, 14), kStartMs);
  product.append("sales", sale("a", 2, 4), kStartMs);  // watermark 14 < 10 + 5: still taken
  product.append("sales", sale("a", 1, 15), kStartMs);
  product.append("sales", sale("a", 3, 5), kStartMs);  // watermark 15: late
  require_ok(product->advance());
  CHECK(product.rows("per_window") == Rows{"2024-01-01T00:00:00Z|a|2", "2024-01-01T00:00:10Z|a|2"});
  require_ok(product->checkpoint());
  CHECK(product.topic("per_window.late").size() == 1);
  CHECK(product->stats().views[0].late_records == 1);
}

TEST_CASE("rows of a final view wait for the watermark, and an end mark closes all windows") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW final_sums WITH (emit = 'final') AS
SELECT window_start, store, sum(amount) AS total
FROM tumble(sales, at, INTERVAL '10 seconds') GROUP BY window_start, store;
CREATE MATERIALIZED VIEW totals AS
SELECT store, count(*) AS windows, sum(total) AS total FROM final_sums GROUP BY store;)");
  product.append("sales", sale("a", 1, 3), kStartMs);
  product.append("sales", sale("a", 2, 5), kStartMs);
  require_ok(product->advance());
  CHECK(product.rows("final_sums").empty());
  CHECK(product.rows("totals").empty());
  product.append("sales", sale("a", 4, 12), kStartMs);
  require_ok(product->advance());
  CHECK(product.rows("final_sums") == Rows{"2024-01-01T00:00:00Z|a|3"});
  CHECK(product.rows("totals") == Rows{"a|1|3"});
  require_ok(product->complete());
  CHECK(product.rows("final_sums").size() == 2);
  CHECK(product.rows("totals") == Rows{"a|2|7"});
}

TEST_CASE("a final view says what waits for a watermark, its columns computed or not") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW plain WITH (emit = 'final', grace = '5 seconds') AS
SELECT window_start, store, sum(amount) AS total
FROM tumble(sales, at, INTERVAL '10 seconds') GROUP BY window_start, store;
CREATE MATERIALIZED VIEW computed WITH (emit = 'final', grace = '5 seconds') AS
SELECT window_start, store, sum(amount) * 2 AS twice
FROM tumble(sales, at, INTERVAL '10 seconds') GROUP BY window_start, store;
CREATE MATERIALIZED VIEW above AS SELECT window_start, store, twice FROM computed;)");
  product.append("sales", sale("a", 1, 3), kStartMs);
  product.append("sales", sale("b", 2, 5), kStartMs);
  product.append("sales", sale("a", 4, 12), kStartMs);
  require_ok(product->advance());
  for (const std::string view : {"plain", "computed", "above"}) {
    INFO(view);
    const operators::NodeId id = product->plan().find_view(view);
    const auto snapshot = product->pin({id}, Deadline::max());
    require_ok(snapshot.status());
    const auto waiting = (*snapshot)->waiting(id);
    require_ok(waiting.status());
    CHECK(waiting->rows == (view == "above" ? 0 : 3));
    if (view != "above") CHECK(waiting->until.us == (kStartMs + 15'000) * 1000);
  }
}

TEST_CASE("a view over a view sees every change") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW per_store AS SELECT store, count(*) AS n FROM sales GROUP BY store;
CREATE MATERIALIZED VIEW by_count AS SELECT n, count(*) AS stores FROM per_store GROUP BY n;)");
  for (const char* store : {"a", "b", "a", "c", "b", "b"}) {
    product.append("sales", sale(store, 1, 1), kStartMs);
  }
  require_ok(product->advance());
  CHECK(product.rows("by_count") == Rows{"1|1", "2|1", "3|1"});
}

TEST_CASE(
    "what is malformed, lies in the future or fails goes to the dead letters, the rest goes on") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW shares AS SELECT store, 100 / amount AS share FROM sales;)");
  product.append("sales", sale("a", 4, 1), kStartMs);
  product.append("sales", R"({"store":"a","amount":"x","at":"2024-01-01T00:00:01Z"})", kStartMs);
  product.append("sales", "not json", kStartMs);
  product.append("sales", R"({"store":"a","amount":1,"at":"2024-01-01T02:00:00Z"})", kStartMs);
  product.append("sales", sale("b", 0, 2), kStartMs);
  product.append("sales", sale("c", 5, 3), kStartMs);
  require_ok(product->advance());
  CHECK(product.rows("shares") == Rows{"a|25", "c|20"});
  require_ok(product->checkpoint());
  CHECK(product.topic("sales.dead-letters").size() == 4);
  CHECK(product->stats().sources[0].dead_letters == 3);
  CHECK(product->stats().views[0].errors == 1);
}

TEST_CASE("ticks move the watermark of a source that is silent") {
  TestProduct product(R"(
CREATE FOREIGN TABLE sales (store text, amount integer, at timestamptz)
SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at', idle_timeout '10 seconds');
CREATE MATERIALIZED VIEW final_sums WITH (emit = 'final') AS
SELECT window_start, sum(amount) AS total
FROM tumble(sales, at, INTERVAL '10 seconds') GROUP BY window_start;)");
  product.append("sales", sale("a", 1, 3), kStartMs + 3000);
  require_ok(product->advance());
  product.clock.set(LogTime{kStartMs + 9000});
  require_ok(product->tick());  // silent for 6 s only
  CHECK(product.rows("final_sums").empty());
  product.clock.set(LogTime{kStartMs + 13'000});
  require_ok(product->tick());
  CHECK(product.rows("final_sums").size() == 1);
}

// b's first record has an earlier log time than a's, which say nothing of theirs (they are ahead of
// the clock) and so come first.
TEST_CASE("since when an input of a union is silent does not hang on what its epoch holds later") {
  const auto late_rows = [](uint32_t epoch_records_max) {
    runtime::PipelineOptions options;
    options.epoch_records_max = epoch_records_max;
    TestProduct product(R"(
CREATE FOREIGN TABLE a (id integer, at timestamptz)
SERVER log OPTIONS (topic 'a', format 'json', event_time 'at');
CREATE FOREIGN TABLE b (id integer, at timestamptz)
SERVER log OPTIONS (topic 'b', format 'json', event_time 'at');
CREATE MATERIALIZED VIEW united AS SELECT id, at FROM a UNION ALL SELECT id, at FROM b;
CREATE MATERIALIZED VIEW counts AS
SELECT id, count(*) OVER (ORDER BY at RANGE '1 hour' PRECEDING) AS n FROM united;)",
                        options);
    product.append("a", R"({"id": 1, "at": "1970-01-01T00:03:00Z"})", 300'000);
    product.append("a", R"({"id": 2, "at": "1970-01-01T00:01:00Z"})", 300'000);
    product.append("b", R"({"id": 3, "at": "1970-01-01T00:01:30Z"})", 100'000);
    product.clock.set(LogTime{200'000});
    require_ok(product->advance());
    require_ok(product->checkpoint());
    return product.topic("counts.late").size();
  };
  CHECK(late_rows(1) == 1);
  CHECK(late_rows(4096) == 1);
}

TEST_CASE("what waits below HAVING waits for the view's own watermark, less its grace") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final', grace = '5 seconds') AS
SELECT window_start, count(*) AS n FROM tumble(sales, at, INTERVAL '1 minute')
GROUP BY window_start HAVING count(*) > 0;)");
  product.append("sales", R"({"store":"a","at":"1970-01-01T00:00:10Z","amount":1})", 10'000);
  require_ok(product->advance());
  const auto query = sql::compile_query({"query", "SELECT * FROM minutes"}, product->plan());
  REQUIRE(query.ok());
  QueryLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto result = execute(*query.query, *product, limits);
  require_ok(result.status());
  REQUIRE(result->waiting.size() == 1);
  CHECK(result->waiting[0].waiting.until.us == 60'000'000);
}

TEST_CASE("late rows of a table of WITH that two branches read are counted once") {
  TestProduct product(kSales + R"(
CREATE MATERIALIZED VIEW twice AS
WITH w AS (SELECT amount, count(*) OVER (ORDER BY at RANGE '1 minute' PRECEDING) AS n FROM sales)
SELECT amount FROM w UNION ALL SELECT n FROM w;)");
  product.append("sales", sale("a", 1, 14), kStartMs);
  product.append("sales", sale("a", 2, 4), kStartMs);
  require_ok(product->advance());
  require_ok(product->checkpoint());
  CHECK(product.topic("twice.late").size() == 1);
  CHECK(product->stats().views[0].late_records == 1);
}

TEST_CASE("rows of an output topic go to the partition of their key, in order") {
  TestProduct product(kSales + R"(
CREATE FOREIGN TABLE alerts (store text, amount integer, PRIMARY KEY (store))
SERVER log OPTIONS (topic 'alerts', format 'json');
INSERT INTO alerts SELECT store, amount FROM sales;)");
  require_ok(product.log->create_topic("alerts", {.partitions = 5}));
  for (int i = 0; i < 60; ++i) {
    product.append("sales", sale(absl::StrCat("s", i % 9), i, 1), kStartMs + i, i % 2);
    if (i % 20 != 19) continue;
    require_ok(product->advance());
    require_ok(product->checkpoint());
    if (i == 39) product.crash_and_reopen();
  }
  size_t records = 0;
  std::set<int32_t> used;
  for (int32_t p = 0; p < 5; ++p) {
    auto reader = product.log->open_reader({"alerts", p}, Offset{0});
    require_ok(reader.status());
    std::map<std::string, int> last;
    while (true) {
      const auto block = (*reader)->read(1 << 20);
      require_ok(block.status());
      if (block->empty()) break;
      for (const RecordView& record : block->records) {
        REQUIRE(record.key_view());
        const std::string key(*record.key_view());
        CHECK(p == log::partition_for_key(key, 5));
        const std::string value(*record.value_view());
        const std::string start = absl::StrCat(R"({"store":")", key, R"(","amount":)");
        REQUIRE(value.starts_with(start));
        const int amount = std::stoi(value.substr(start.size()));
        CHECK((!last.contains(key) || last[key] < amount));
        last[key] = amount;
        used.insert(p);
        ++records;
      }
    }
  }
  CHECK(records == 60);
  CHECK(used.size() > 1);
}

TEST_CASE("the state does not depend on the workers or on the size of an epoch") {
  const std::string sql = kSales + R"(
CREATE MATERIALIZED VIEW per_store AS
SELECT store, count(*) AS n, count(DISTINCT amount) AS kinds FROM sales GROUP BY store;
CREATE MATERIALIZED VIEW windows WITH (emit = 'final', grace = '2 seconds') AS
SELECT window_start, store, sum(amount) AS total
FROM tumble(sales, at, INTERVAL '10 seconds') GROUP BY window_start, store;
CREATE MATERIALIZED VIEW by_total AS SELECT total, count(*) AS n FROM windows GROUP BY total;
CREATE MATERIALIZED VIEW large AS SELECT store, amount, at FROM sales WHERE amount > 5;)";
  std::string expected;
  for (const uint32_t workers : {1u, 2u, 4u}) {
    for (const uint32_t epoch : {1u, 7u, 4096u}) {
      TestProduct product(sql, {.workers = workers, .epoch_records_max = epoch});
      for (int i = 0; i < 300; ++i) {
        product.append("sales", sale(absl::StrCat("s", i % 7), i % 11, i * 7 % 13 + i / 8),
                       kStartMs + i * 10 - i % 3 * 20, i % 2);
      }
      require_ok(product->advance());
      const std::string dump = product.dump();
      if (expected.empty()) expected = dump;
      INFO("workers " << workers << ", epochs of " << epoch);
      CHECK(dump == expected);
    }
  }
}

}  // namespace
}  // namespace kappa::runtime
