#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;
using test::wait_for;
using Rows = std::vector<std::string>;

const std::string kSql = R"(
CREATE FOREIGN TABLE hits (page text, n integer) SERVER log OPTIONS (topic 'hits', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n, sum(n) AS total FROM hits GROUP BY page;)";

TEST_CASE("a live pipeline takes what arrives while others read, and a recomputation agrees") {
  for (const uint32_t workers : {1u, 2u}) {
    TestProduct product(kSql,
                        {.workers = workers, .epoch_records_max = 64, .checkpoint_interval_ms = 1});
    product.append("hits", R"({"page":"p0","n":0})", 1);
    require_ok(product->start());
    constexpr int kHits = 3000;
    uint64_t last_total = 0;
    for (int i = 1; i < kHits; ++i) {
      product.append("hits", absl::StrCat(R"({"page":"p)", i % 5, R"(","n":)", i, "}"), i + 1,
                     i % 2);
      if (i % 100 != 0) continue;
      // Whoever scans sees one moment: the counts of a snapshot never fall.
      uint64_t total = 0;
      for (const std::string& row : product.rows("pages")) {
        total += std::stoull(row.substr(row.find('|') + 1));
      }
      CHECK(total >= last_total);
      last_total = total;
    }
    wait_for([&] { return product->stats().records == kHits; });
    require_ok(product->stop());
    const Rows rows = product.rows("pages");
    CHECK(rows.size() == 5);
    CHECK(rows[0] == "p0|600|898500");
    const std::string dump = product.dump();

    auto store = state::make_memory_store();
    PipelineOptions options{.workers = 3 - workers, .mute_outputs = true, .follow_only = true};
    auto again = Pipeline::open(product->plan(), {}, product.log.get(), store.get(),
                                product.directory.path("journal"), &product.clock, options);
    require_ok(again.status());
    require_ok((*again)->follow(UINT64_MAX));
    CHECK(*(*again)->canonical_dump() == dump);
  }
}

TEST_CASE("a point read of a live pipeline answers with a stamp") {
  TestProduct product(kSql);
  product.append("hits", R"({"page":"a","n":7})", 1);
  require_ok(product->start());
  wait_for([&] { return product->stats().records == 1; });
  std::atomic<bool> done{false};
  ViewReader::Rows answer;
  product->get(product->plan().find_view("pages"), {{Value::text("a")}, {Value::text("z")}},
               [&](absl::StatusOr<ViewReader::Rows> rows) {
                 if (rows.ok()) answer = *std::move(rows);
                 done = true;
               });
  wait_for([&] { return done.load(); });
  REQUIRE(answer.rows.size() == 2);
  REQUIRE(answer.rows[0]);
  CHECK(to_text((*answer.rows[0])[2]) == "7");
  CHECK(!answer.rows[1]);
  CHECK(answer.stamp.generation == 1);
  CHECK(answer.stamp.place[0].second == Offset{1});
  require_ok(product->stop());
}

}  // namespace
}  // namespace kappa::runtime
