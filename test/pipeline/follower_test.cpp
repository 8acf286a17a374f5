// A pipeline that follows the order journal of another one while both run.

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

constexpr int64_t kStartMs = 1'704'067'200'000;

const std::string kSql = R"(
CREATE FOREIGN TABLE hits (page text, n integer, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json', event_time 'at', out_of_orderness '3 seconds');
CREATE FOREIGN TABLE busy (page text, n bigint) SERVER log OPTIONS (topic 'busy', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n, sum(n) AS total FROM hits GROUP BY page;
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final', grace = '1 second') AS
SELECT window_start, page, count(*) AS n, count(DISTINCT n) AS different
FROM tumble(hits, at, INTERVAL '10 seconds') GROUP BY window_start, page;
CREATE MATERIALIZED VIEW seen AS
SELECT page, n, sum(n) OVER (PARTITION BY page ORDER BY at RANGE '20 seconds' PRECEDING) AS recent
FROM hits;
INSERT INTO busy SELECT page, n FROM minutes WHERE n > 1;)";

void hit(TestProduct& product, int i) {
  const int second = i / 20 - (i % 7 == 0 ? 5 : 0);  // some come late
  const int64_t at_us = (kStartMs + second * 1000) * 1000;
  product.append("hits",
                 absl::StrCat(R"({"page":"p)", i % 5, R"(","n":)", i % 11, R"(,"at":")",
                              to_text(Value::timestamptz(at_us)), "\"}"),
                 kStartMs + i * 50, i % 2);
}

// A second generation beside the product's own.
class Follower {
 public:
  Follower(TestProduct& product, PipelineOptions options) : product_(product) { open(options); }

  void open(PipelineOptions options) {
    options.follow_only = true;
    options.mute_outputs = true;
    pipeline_.reset();
    auto opened = Pipeline::open(product_->plan(), {}, product_.log.get(), store_.get(),
                                 product_.directory.path("journal"), &product_.clock, options);
    require_ok(opened.status());
    pipeline_ = *std::move(opened);
    require_ok(pipeline_->start());
  }
  Pipeline* operator->() { return pipeline_.get(); }

 private:
  TestProduct& product_;
  std::unique_ptr<state::StateStore> store_ = state::make_memory_store();
  std::unique_ptr<Pipeline> pipeline_;
};

TEST_CASE("a follower beside a live pipeline comes to the same state, and answers on the way") {
  for (const uint32_t workers : {1u, 2u}) {
    TestProduct product(kSql,
                        {.workers = workers, .epoch_records_max = 64, .checkpoint_interval_ms = 1});
    constexpr int kHits = 3000;
    for (int i = 0; i < kHits / 2; ++i)
      hit(product, i);  // history, for the follower and for itself
    require_ok(product->start());
    Follower follower(product, {.workers = 3 - workers, .epoch_records_max = 7});
    for (int i = kHits / 2; i < kHits; ++i) hit(product, i);
    wait_for([&] { return product->stats().records == kHits; });
    wait_for([&] { return follower->stats().records == kHits; });
    require_ok(product->complete_live(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
    CHECK(absl::IsFailedPrecondition(
        follower->complete_live(std::chrono::steady_clock::now() + std::chrono::seconds(60))));
    require_ok(product->stop());
    const std::string dump = product.dump();
    wait_for([&] { return follower->canonical_dump().value_or("") == dump; });
    require_ok(follower->stop());
    CHECK(follower->stats().outbox_pending == 0);
  }
}

TEST_CASE("a follower that was killed goes on from its own checkpoint, with other workers") {
  TestProduct product(kSql, {.epoch_records_max = 64, .checkpoint_interval_ms = 1});
  constexpr int kHits = 2000;
  hit(product, 0);
  require_ok(product->start());
  Follower follower(product, {.epoch_records_max = 16, .checkpoint_interval_ms = 1});
  uint32_t kills = 0;
  for (int i = 1; i < kHits; ++i) {
    hit(product, i);
    if (i % 400 != 0) continue;
    wait_for([&] { return follower->stats().checkpoints > 0; });
    follower.open(
        {.workers = 1 + ++kills % 3, .epoch_records_max = 16, .checkpoint_interval_ms = 1});
  }
  wait_for([&] { return product->stats().records == kHits; });
  require_ok(product->stop());
  const std::string dump = product.dump();
  wait_for([&] { return follower->canonical_dump().value_or("") == dump; });
  CHECK(kills == 4);
  // Having stopped in between, it has little left to apply.
  require_ok(follower->stop());
  follower.open({});
  CHECK(follower->stats().records == kHits);
  CHECK(*follower->canonical_dump() == dump);
}

TEST_CASE("a follower publishes nothing and leaves the journal alone") {
  TestProduct product(kSql, {.checkpoint_interval_ms = 1});
  for (int i = 0; i < 500; ++i) hit(product, i);
  require_ok(product->advance());
  const std::string journal = product.directory.path("journal");
  const auto size = std::filesystem::file_size(journal);
  Follower follower(product, {.checkpoint_interval_ms = 1});
  wait_for([&] { return follower->stats().records == 500; });
  hit(product, 500);  // which the product has not taken
  require_ok(follower->stop());
  CHECK(follower->stats().records == 500);
  CHECK(std::filesystem::file_size(journal) == size);
  CHECK(product.topic("busy").empty());
}

}  // namespace
}  // namespace kappa::runtime
