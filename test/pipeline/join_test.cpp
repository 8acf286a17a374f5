// Topics that join the order later: their records count where they would have counted.

#include <map>
#include <memory>
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/sql/catalog.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;

const std::string kHits = R"(
CREATE FOREIGN TABLE hits (page text, n bigint) SERVER log OPTIONS (topic 'hits', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM hits GROUP BY page;)";
const std::string kNamedHits = R"(
CREATE FOREIGN TABLE hits (page text, n bigint) SERVER log OPTIONS (topic 'hits', format 'json');
CREATE FOREIGN TABLE names (page text, name text) SERVER log OPTIONS (topic 'names', format 'json');
CREATE MATERIALIZED VIEW titles WITH (key = 'page') AS SELECT page, name FROM names;
CREATE MATERIALIZED VIEW named AS
SELECT hits.n, titles.name FROM hits LEFT JOIN titles ON titles.page = hits.page;)";

operators::Plan plan_of(const std::string& sql) {
  auto compiled = sql::compile_product({{"product.sql", sql}}, {});
  INFO(sql::to_status(compiled.diagnostics).ToString());
  REQUIRE(compiled.ok());
  return std::move(compiled.plan);
}

// A plan over the product's journal, from its start, by hand.
struct Recomputed {
  Recomputed(TestProduct& product, const std::string& sql, PipelineOptions options) {
    options.follow_only = true;
    auto made = Pipeline::open(plan_of(sql), {}, product.log.get(), store.get(),
                               product.directory.path("journal"), &product.clock, options);
    require_ok(made.status());
    pipeline = *std::move(made);
    require_ok(pipeline->follow(UINT64_MAX));
  }
  std::unique_ptr<state::StateStore> store = state::make_memory_store();
  std::unique_ptr<Pipeline> pipeline;
};

// What each hit was called when it came: by its number.
std::map<int64_t, std::string> names_of(Pipeline& pipeline) {
  const operators::NodeId view = pipeline.plan().find_view("named");
  const auto rows =
      pipeline.pin({view}, std::chrono::steady_clock::now() + std::chrono::seconds(60));
  require_ok(rows.status());
  std::map<int64_t, std::string> names;
  Arena arena;
  while (true) {
    const auto batch = (*rows)->next(view, {0, 1}, arena);
    require_ok(batch.status());
    if (batch->empty()) return names;
    for (size_t row = 0; row < batch->rows; ++row) {
      names[std::get<int64_t>(value_at(*batch->columns[0], row).data)] =
          to_text(value_at(*batch->columns[1], row));
    }
  }
}

constexpr int64_t kStartMs = 1'704'067'200'000;

// Hits and names as time passes, and what a hit is called then.
class Story {
 public:
  Story(TestProduct& product, uint32_t seed) : product_(product), random_(seed) {}

  void go_on(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ms_ += 1 + static_cast<int64_t>(random_() % 20);
      product_.clock.set(LogTime{now_ms_});
      const std::string page = absl::StrCat("p", random_() % 3);
      if (random_() % 4 == 0) {
        const std::string name = absl::StrCat("name ", ++names_given_);
        product_.append("names", absl::StrCat(R"({"page":")", page, R"(","name":")", name, "\"}"),
                        now_ms_, static_cast<int32_t>(std::hash<std::string>()(page) % 2));
        names_[page] = name;
      } else {
        product_.append("hits", absl::StrCat(R"({"page":")", page, R"(","n":)", hits_, "}"),
                        now_ms_);
        expected[hits_++] = names_.contains(page) ? names_[page] : "NULL";
      }
      if (random_() % 5 == 0) require_ok(product_->advance());
    }
    require_ok(product_->advance());
  }

  std::map<int64_t, std::string> expected;

 private:
  TestProduct& product_;
  std::mt19937 random_;
  int64_t now_ms_ = kStartMs;
  int64_t hits_ = 0;
  int names_given_ = 0;
  std::map<std::string, std::string> names_;
};

}  // namespace

TEST_CASE("a topic that joins later is looked up as it was at each record") {
  const uint32_t seed = GENERATE(range(1u, 13u));
  INFO("seed " << seed);
  TestProduct product(kHits);
  require_ok(product.log->create_topic("names", {.partitions = 2}));
  Story story(product, seed);
  story.go_on(200);
  require_ok(product->join({"names", "hits"}, std::chrono::steady_clock::now()));
  require_ok(product->join({"names"}, std::chrono::steady_clock::now()));  // it has
  story.go_on(100);
  if (seed % 2 == 0) {
    product.crash_and_reopen();  // whoever leads carries it on
    story.go_on(100);
  }
  require_ok(product->checkpoint());
  Recomputed one(product, kNamedHits, {.epoch_records_max = 1 + seed * 7});
  CHECK(names_of(*one.pipeline) == story.expected);
  Recomputed other(product, kNamedHits, {.workers = 3, .epoch_records_max = 1000});
  CHECK(*one.pipeline->canonical_dump() == *other.pipeline->canonical_dump());
  // Who does not read it sees what it would have seen.
  Recomputed without(product, kHits, {});
  CHECK(*without.pipeline->canonical_dump() == product.dump());
}

TEST_CASE("a follower of more topics goes on from its checkpoint, before they joined and after") {
  TestProduct product(kHits);
  require_ok(product.log->create_topic("names", {.partitions = 2}));
  Story story(product, 77);
  story.go_on(200);
  require_ok(product->join({"names"}, std::chrono::steady_clock::now()));
  story.go_on(100);
  require_ok(product->checkpoint());
  const auto store = state::make_memory_store();
  std::unique_ptr<Pipeline> pipeline;
  for (int opened = 0; opened < 400; ++opened) {
    pipeline.reset();
    auto made = Pipeline::open(plan_of(kNamedHits), {}, product.log.get(), store.get(),
                               product.directory.path("journal"), &product.clock,
                               {.epoch_records_max = 3, .follow_only = true});
    require_ok(made.status());
    pipeline = *std::move(made);
    const uint64_t before = pipeline->stats().records;
    require_ok(pipeline->follow(1));
    require_ok(pipeline->checkpoint());
    if (opened > 100 && pipeline->stats().records == before) break;
  }
  CHECK(names_of(*pipeline) == story.expected);
}

TEST_CASE("an empty topic joins, and its first record counts when it comes") {
  TestProduct product(kHits);
  product.crash_and_reopen();
  require_ok(product.log->create_topic("names", {.partitions = 2}));
  require_ok(product->join({"names"}, std::chrono::steady_clock::now()));
  CHECK(absl::IsNotFound(product->join({"nowhere"}, std::chrono::steady_clock::now())));
  product.crash_and_reopen();
  Story story(product, 5);
  story.go_on(300);
  require_ok(product->checkpoint());
  Recomputed named(product, kNamedHits, {});
  CHECK(names_of(*named.pipeline) == story.expected);
}

}  // namespace kappa::runtime
