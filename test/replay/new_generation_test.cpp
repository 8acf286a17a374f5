// What a new generation computes, and what it brings along: kept views, later starts, log time.

#include "replay/new_generation.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"
#include "test/replay/product.h"

namespace kappa::replay {
namespace {

using Views = std::vector<std::string>;
using state::GenerationState;
using state::ReplayStart;
using test::require_ok;
using test::wait_for;

constexpr int64_t kStartMs = 1'704'067'200'000;  // of the hits, one every 10 ms

struct Directory {
  test::TemporaryDirectory directory;
  std::string path = directory.path("");
};

// Hits as ever, and names of pages from a topic of their own.
const std::string kNames = R"(
CREATE FOREIGN TABLE names (page text, name text) SERVER log OPTIONS (topic 'names', format 'json');
CREATE MATERIALIZED VIEW titles WITH (key = 'page') AS SELECT page, name FROM names;
CREATE MATERIALIZED VIEW naming AS SELECT count(*) AS times FROM names;
)";

void name(ShopProduct& product, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string json =
        absl::StrCat(R"({"page":"p)", i % 50, R"(","name":"number )", i, "\"}");
    const log::RecordToAppend record{.key = {},
                                     .value = json,
                                     .timestamp = product.shop.clock.now(),
                                     .partition = 0,
                                     .headers = nullptr};
    require_ok(product.shop.log->append("names", {&record, 1}).status());
  }
}

int64_t only_value(ShopProduct& product, const char* view) {
  runtime::Pipeline& pipeline = *product.served()->pipeline;
  const operators::NodeId id = pipeline.plan().find_view(view);
  const auto snapshot = pipeline.pin({id}, in(60));
  require_ok(snapshot.status());
  Arena arena;
  const auto batch = (*snapshot)->next(id, {0}, arena);
  require_ok(batch.status());
  REQUIRE(batch->rows == 1);
  return std::get<int64_t>(value_at(*batch->columns[0], 0).data);
}

uint64_t rows_of(ShopProduct& product, const std::string& view) {
  for (const auto& stats : product.served()->pipeline->stats().views) {
    if (stats.name == view) return stats.rows;
  }
  return 0;
}

void wait_until_seen(ShopProduct& product, int64_t hits, int64_t names) {
  wait_for([&] { return *hits_of(*product.served()->pipeline) == hits; });
  wait_for([&] { return only_value(product, "naming") == names; });
}

void swap_when_ready(ShopProduct& product, uint32_t generation) {
  product.wait_until_ready(generation);
  require_ok(product->swap({}, in(60)).status());
}

// What the live generation shows of pages, counted from the log without it.
void check_as_recomputed(ShopProduct& product, const std::string& sql) {
  serve::ReplayRequest request{files_of(sql), {}, {}};
  request.recompute_all = true;
  const uint32_t again = product.replay(request);
  CHECK(product.status(again).kept_views.empty());
  product.wait_until_ready(again);
  const auto comparison = product->compare(again, 0, in(60));
  require_ok(comparison.status());
  CHECK(comparison->equal());
  require_ok(product->cancel_replay(again));
}

}  // namespace

TEST_CASE_METHOD(Directory, "a view that does not change brings its state along") {
  ShopProduct product(path);
  product.shop.hit(3000);
  product.wait_until_applied();
  const uint32_t replayed = product.replay(kLongWindows);
  CHECK(product.status(replayed).kept_views == Views{"pages"});
  product.wait_until_ready(replayed);
  product.shop.hit(500);
  product.wait_until_applied();
  const auto comparison = product->compare(replayed, 0, in(60));
  require_ok(comparison.status());
  for (const serve::ViewDifference& view : comparison->views) {
    CHECK(view.equal() == (view.view == "pages"));
  }
  require_ok(product->swap({}, in(60)).status());
  product.shop.hit(500);
  product.wait_until_applied();
  CHECK(*hits_of(*product.served()->pipeline) == 4000);
  check_as_recomputed(product, kLongWindows);
}

TEST_CASE_METHOD(Directory,
                 "a model that has changed computes what calls it again, and only that") {
  ShopProduct product(path);
  product.shop.hit(3000);
  product.wait_until_applied();
  // Hits from the number `first` on have a score above 0.5.
  const auto files = [](int first) {
    FileTexts texts =
        files_of(kShortWindows +
                 "CREATE MATERIALIZED VIEW risky AS SELECT count(*) AS times FROM hits WHERE "
                 "predict('risk', n) > 0.5;");
    texts["models/risk.json"] =
        absl::StrCat(R"({"kind": "logistic", "features": ["n"], "mean": [)", first,
                     R"(], "coefficients": [1], "intercept": 0.001})");
    return texts;
  };
  const uint32_t with_model = product.replay({files(1000), {}, {}});
  CHECK(product.status(with_model).kept_views == Views{"pages", "windows"});
  swap_when_ready(product, with_model);
  CHECK(only_value(product, "risky") == 2000);

  const uint32_t changed = product.replay({files(2500), {}, {}});
  CHECK(product.status(changed).kept_views == Views{"pages", "windows"});
  product.wait_until_ready(changed);
  const auto comparison = product->compare(changed, 0, in(60));
  require_ok(comparison.status());
  for (const serve::ViewDifference& view : comparison->views) {
    CHECK(view.equal() == (view.view != "risky"));
  }
  require_ok(product->swap({}, in(60)).status());
  CHECK(only_value(product, "risky") == 500);
  product.reopen();
  product.shop.hit(100);
  wait_for([&] { return *hits_of(*product.served()->pipeline) == 3100; });
  CHECK(only_value(product, "risky") == 600);
}

TEST_CASE_METHOD(Directory, "what is brought along needs no records that the log has lost") {
  ShopProduct product(path, kShortWindows + kNames, 5000);
  product.shop.hit(2000);
  name(product, 200);
  wait_until_seen(product, 2000, 200);
  require_ok(product.shop.log->enforce_retention());
  CHECK(product.shop.log->range({"hits", 0})->start.value > 0);

  // Both views of names change, those of hits do not, whose records are gone.
  const std::string other = absl::StrCat(kShortWindows, R"(
CREATE FOREIGN TABLE names (page text, name text) SERVER log OPTIONS (topic 'names', format 'json');
CREATE MATERIALIZED VIEW titles WITH (key = 'page') AS SELECT page, upper(name) AS name FROM names;
CREATE MATERIALIZED VIEW naming AS SELECT count(*) + 1000 AS times FROM names;
)");
  const uint32_t replayed = product.replay(other);
  CHECK(product.status(replayed).kept_views == Views{"pages", "windows"});
  swap_when_ready(product, replayed);
  CHECK(*hits_of(*product.served()->pipeline) == 2000);
  CHECK(only_value(product, "naming") == 1200);
  product.shop.hit(300);
  name(product, 1);
  wait_until_seen(product, 2300, 1201);
  // Over a restart, and the way back.
  product.reopen();
  CHECK(*hits_of(*product.served()->pipeline) == 2300);
  require_ok(product->roll_back(false, in(60)).status());
  CHECK(*hits_of(*product.served()->pipeline) == 2300);
  CHECK(only_value(product, "naming") == 201);
}

TEST_CASE_METHOD(Directory, "views that rest are woken over restarts, and by nothing else") {
  ShopProduct product(path, kShortWindows + kNames);
  product.shop.hit(1000);
  name(product, 100);
  wait_until_seen(product, 1000, 100);
  const uint32_t replayed = product.replay(kLongWindows + kNames, {.records_per_second_max = 400});
  CHECK(product.status(replayed).kept_views == Views{"pages", "titles", "naming"});
  for (int i = 0; i < 3; ++i) {
    wait_for([&] { return product.status(replayed).runs; });
    product.reopen();
    product.shop.hit(100);
    name(product, 10);
  }
  require_ok(product->resume_replay(replayed, serve::ReplayBudget{}));
  product.wait_until_ready(replayed);
  product.reopen();
  swap_when_ready(product, replayed);
  wait_until_seen(product, 1300, 130);
  CHECK(rows_of(product, "titles") == 50);
  check_as_recomputed(product, kLongWindows + kNames);
}

TEST_CASE_METHOD(Directory, "of two equal queries the one that is left is computed if need be") {
  const auto twins = [](const char* first) {
    return absl::StrCat(
        kShortWindows, "CREATE MATERIALIZED VIEW one AS SELECT page, ", first,
        " AS n FROM hits GROUP BY page;"
        "CREATE MATERIALIZED VIEW other AS SELECT page, sum(n) AS n FROM hits GROUP "
        "BY page;");
  };
  ShopProduct product(path, twins("sum(n)"));
  product.shop.hit(1000);
  product.wait_until_applied();
  uint32_t replayed = product.replay(twins("max(n)"));
  swap_when_ready(product, replayed);
  product.shop.hit(100);
  product.wait_until_applied();
  check_as_recomputed(product, twins("max(n)"));
  replayed = product.replay(twins("sum(n)"));
  swap_when_ready(product, replayed);
  product.shop.hit(100);
  product.wait_until_applied();
  check_as_recomputed(product, twins("sum(n)"));
}

TEST_CASE_METHOD(Directory,
                 "a product of which nothing changes is computed only if that is asked") {
  ShopProduct product(path);
  product.shop.hit(100);
  const auto refused = product->start_replay({files_of(kShortWindows), {}, {}});
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(absl::StrContains(refused.status().message(), "--recompute-all"));
  CHECK(product->generations().size() == 1);
}

TEST_CASE_METHOD(Directory, "an output that changes and keeps nothing needs no history") {
  ShopProduct product(path);
  product.shop.hit(2000);
  product.wait_until_applied();
  std::string fewer = kShortWindows;
  const std::string all = "FROM windows;";
  fewer.replace(fewer.find(all), all.size(), "FROM windows WHERE n > 1000;");
  const uint32_t replayed = product.replay(fewer);
  CHECK(product.status(replayed).kept_views == Views{"pages", "windows"});
  product.wait_until_ready(replayed);
  CHECK(product.status(replayed).records_remaining == 0);
  require_ok(product->swap({}, in(60)).status());
  const size_t before = product.shop.published().values.size();
  product.shop.hit(2000);
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  CHECK(product.shop.published().values.size() == before);
}

TEST_CASE_METHOD(Directory, "a replay from a later time leaves out what came before") {
  ShopProduct product(path);
  product.shop.hit(3000);
  product.wait_until_applied();
  serve::ReplayRequest request{files_of(kShortWindows), {}, {}};
  request.start.from_ms = kStartMs + 20'000;
  const uint32_t later = product.replay(request);
  CHECK(product.status(later).kept_views.empty());
  CHECK(product.status(later).start == request.start);
  swap_when_ready(product, later);
  CHECK(*hits_of(*product.served()->pipeline) == 1000);
  product.reopen();
  product.shop.hit(100);
  wait_for([&] { return *hits_of(*product.served()->pipeline) == 1100; });

  // From the same time nothing has to be computed again that has not changed; from another it has.
  request.files = files_of(kLongWindows);
  const uint32_t same = product.replay(request);
  CHECK(product.status(same).kept_views == Views{"pages"});
  require_ok(product->cancel_replay(same));
  request.start = {};
  const uint32_t whole = product.replay(request);
  CHECK(product.status(whole).kept_views.empty());
  swap_when_ready(product, whole);
  CHECK(*hits_of(*product.served()->pipeline) == 3100);

  request.start.from_ms = product.shop.clock.now().ms + 1;
  const auto refused = product->start_replay(request);
  CHECK(absl::IsInvalidArgument(refused.status()));
  CHECK(absl::StrContains(refused.status().message(), "still to come"));
}

TEST_CASE_METHOD(Directory, "a later start is no gap where the log has what comes before it") {
  ShopProduct product(path, kShortWindows, 5000);
  product.shop.hit(2000);
  product.wait_until_applied();
  require_ok(product.shop.log->enforce_retention());
  serve::ReplayRequest request{files_of(kShortWindows), {}, {}};
  request.start.from_ms = kStartMs;
  const auto refused = product->start_replay(request);
  CHECK(absl::StrContains(refused.status().message(), "--accept-gap hits"));
  request.start.from_ms = kStartMs + 19'000;
  const uint32_t later = product.replay(request);
  swap_when_ready(product, later);
  CHECK(*hits_of(*product.served()->pipeline) == 100);
}

TEST_CASE_METHOD(Directory,
                 "by log time, history is taken as if all of it had been there at once") {
  const std::string sql = R"(
CREATE FOREIGN TABLE hits (page text, n bigint, at timestamptz)
SERVER log OPTIONS (topic 'hits', format 'json');
CREATE MATERIALIZED VIEW firsts AS SELECT DISTINCT ON (page) page, n FROM hits;
CREATE MATERIALIZED VIEW hit_count AS SELECT count(*) AS n FROM hits;
)";
  ShopProduct product(path, sql);
  const auto hit = [&](int32_t partition, int64_t n, int64_t ms) {
    const std::string json = absl::StrCat(R"({"page":"p","n":)", n, "}");
    const log::RecordToAppend record{.key = {},
                                     .value = json,
                                     .timestamp = LogTime{kStartMs + ms},
                                     .partition = partition,
                                     .headers = nullptr};
    require_ok(product.shop.log->append("hits", {&record, 1}).status());
  };
  const auto first = [&] {
    runtime::Pipeline& pipeline = *product.served()->pipeline;
    const operators::NodeId id = pipeline.plan().find_view("firsts");
    const auto snapshot = pipeline.pin({id}, in(60));
    require_ok(snapshot.status());
    Arena arena;
    const auto batch = (*snapshot)->next(id, {1}, arena);
    require_ok(batch.status());
    REQUIRE(batch->rows == 1);
    return std::get<int64_t>(value_at(*batch->columns[0], 0).data);
  };
  product.shop.clock.set(LogTime{kStartMs + 10'000});
  hit(0, 1, 9'000);
  wait_for([&] { return only_value(product, "hit_count") == 1; });
  hit(1, 2, 3'000);  // comes later, and is older
  wait_for([&] { return only_value(product, "hit_count") == 2; });
  CHECK(first() == 1);

  serve::ReplayRequest request{files_of(sql), {}, {}};
  request.start.order = ReplayStart::Order::kLogTime;
  const uint32_t replayed = product.replay(request);
  CHECK(product.status(replayed).start == request.start);
  CHECK(product.status(replayed).kept_views.empty());
  hit(0, 3, 1'000);  // behind where it began: by the journal
  product.reopen();
  swap_when_ready(product, replayed);
  wait_for([&] { return only_value(product, "hit_count") == 3; });
  CHECK(first() == 2);
  product.reopen();
  CHECK(first() == 2);
  hit(1, 4, 10'000);
  wait_for([&] { return only_value(product, "hit_count") == 4; });

  // The order of the journal is another one, so everything is computed.
  const uint32_t back = product.replay({files_of(sql), {}, {}});
  CHECK(product.status(back).kept_views.empty());
  swap_when_ready(product, back);
  CHECK(first() == 1);
}

}  // namespace kappa::replay
