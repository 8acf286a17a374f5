// The generations of a product: replayed, compared, swapped, rolled back, over restarts.

#include "replay/generations.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"
#include "test/replay/product.h"

namespace kappa::replay {
namespace {

using state::GenerationState;
using test::require_ok;
using test::wait_for;

struct Directory {
  test::TemporaryDirectory directory;
  std::string path = directory.path("");
};

// The code of a refusal that says so.
absl::StatusCode refused(const absl::Status& status, const std::string& words) {
  INFO(status.ToString());
  CHECK(absl::StrContains(status.message(), words));
  return status.code();
}

size_t published_windows(const ShopProduct& product) {
  return product.shop.published().values.size();
}

}  // namespace

TEST_CASE_METHOD(Directory, "a replay of the same logic is equal, and swapped in, and back") {
  ShopProduct product(path);
  product.shop.hit(3000);
  product.wait_until_applied();
  const uint32_t replayed = product.replay(kShortWindows);
  CHECK(replayed == 2);
  CHECK(product.served()->id == 1);
  product.wait_until_ready(replayed);

  const auto comparison = product->compare(0, 3, in(60));
  require_ok(comparison.status());
  CHECK(comparison->before == 1);
  CHECK(comparison->after == 2);
  CHECK(comparison->equal());
  CHECK(comparison->views.size() == 2);
  for (const serve::ViewDifference& view : comparison->views) {
    CHECK(view.rows_before > 0);
    CHECK(view.rows_before == view.rows_after);
    CHECK(view.checksum_before == view.checksum_after);
  }

  const auto swapped = product->swap({.generation = 0, .require_equal = {"*"}}, in(60));
  require_ok(swapped.status());
  CHECK(swapped->from == 1);
  CHECK(swapped->to == 2);
  CHECK(product.served()->id == 2);
  CHECK(product.status(1).state == GenerationState::kRetired);
  CHECK(product.status(2).state == GenerationState::kLive);
  wait_for([&] { return !product.status(1).runs; });  // nobody reads it any more

  product.shop.hit(1000);
  product.wait_until_applied();
  const auto back = product->roll_back(false, in(60));
  require_ok(back.status());
  CHECK(back->to == 1);
  product.shop.hit(1000);
  product.wait_until_applied();
  CHECK(*hits_of(*product.served()->pipeline) == 5000);
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  check_exactly_once(product.shop);
}

TEST_CASE_METHOD(Directory,
                 "a leader that no operation holds goes on, whatever has left it standing") {
  ShopProduct product(path);
  product.shop.hit(100);
  product.wait_until_applied();
  require_ok(product.served()->pipeline->hold(in(60)).status());
  product.shop.hit(100);
  product.wait_until_applied();
  CHECK(*hits_of(*product.served()->pipeline) == 200);
  require_ok(product->stop());
}

TEST_CASE_METHOD(Directory, "new logic differs, and publishes from the swap on") {
  ShopProduct product(path);
  product.shop.hit(3000);
  product.wait_until_applied();
  const uint32_t replayed = product.replay(kLongWindows);
  product.wait_until_ready(replayed);
  const auto comparison = product->compare(replayed, 2, in(60));
  require_ok(comparison.status());
  CHECK_FALSE(comparison->equal());
  for (const serve::ViewDifference& view : comparison->views) {
    CHECK(view.equal() == (view.view == "pages"));
    CHECK(view.samples.empty() == view.equal());
  }
  refused(product->swap({.require_equal = {"windows"}}, in(60)).status(), "windows");
  refused(product->swap({.require_equal = {"nothing"}}, in(60)).status(), "no view nothing");
  CHECK(product.served()->id == 1);
  require_ok(product->swap({.require_equal = {"pages"}, .keep_following = true}, in(60)).status());
  const size_t before = published_windows(product);
  const size_t closed = closed_windows(*product.served()->pipeline);
  product.shop.hit(2000);
  product.wait_until_applied();
  product.wait_until_applied(1);  // it keeps following
  require_ok(product.served()->pipeline->complete_live(in(60)));
  wait_for([&] {
    product.shop.clock.set(LogTime{product.shop.clock.now().ms + 10});  // checkpoints publish
    return published_windows(product) - before ==
           closed_windows(*product.served()->pipeline) - closed;
  });
  require_ok(product->roll_back(false, in(60)).status());
  CHECK(product.served()->id == 1);
  check_exactly_once(product.shop);
}

TEST_CASE_METHOD(Directory, "what a replay reaches is remembered once it is ready") {
  const auto remembered = [this] {
    return state::Catalogue::open(path + "/data")->products().front().replay_records_per_second;
  };
  ShopProduct product(path);
  product.shop.hit(20'000);
  product.wait_until_applied();
  const runtime::PipelineStats live = product.served()->pipeline->stats();
  CHECK(live.busy_records == 20'000);
  CHECK(live.busy_seconds > 0);
  CHECK(remembered() == 0);
  const uint32_t replayed = product.replay(kLongWindows);
  product.wait_until_ready(replayed);
  const double rate = remembered();
  CHECK(rate > 0);

  // One that had nothing to do shows nothing.
  require_ok(product->cancel_replay(replayed));
  product.reopen();
  CHECK(product.served()->pipeline->stats().busy_records == 0);
  CHECK(remembered() == rate);
}

TEST_CASE_METHOD(Directory, "a replay keeps to its pace, pauses, and goes on") {
  ShopProduct product(path);
  product.shop.hit(20'000);
  product.wait_until_applied();
  const uint32_t replayed = product.replay(kLongWindows, {.records_per_second_max = 200});
  wait_for([&] { return product.status(replayed).records > 0; });
  CHECK(product.status(replayed).records < 10'000);
  CHECK(product.status(replayed).records_remaining > 0);
  CHECK(product.status(replayed).budget.records_per_second_max == 200);
  refused(product->compare(0, 0, in(1)).status(), "is replaying");
  refused(product->swap({}, in(1)).status(), "has to be ready");

  require_ok(product->pause_replay(0));
  CHECK(product.status(replayed).paused);
  product.reopen();
  CHECK(product.status(replayed).paused);
  wait_for([&] { return product.status(replayed).runs; });
  const uint64_t paused_at = product.served()->pipeline->stats().records;
  CHECK(paused_at == 20'000);
  require_ok(product->resume_replay(replayed, serve::ReplayBudget{.cpu_cores_max = 2}));
  product.wait_until_ready(replayed);
  CHECK(product.status(replayed).budget == serve::ReplayBudget{.cpu_cores_max = 2});
  product.wait_until_applied(replayed);
  CHECK(product.status(replayed).records_remaining == 0);
}

TEST_CASE_METHOD(Directory, "a replay that takes more memory than it may rests, and says so") {
  ShopProduct product(path);
  product.shop.hit(2000);
  product.wait_until_applied();
  const uint32_t replayed = product.replay(kLongWindows, {.memory_bytes_max = 1});
  wait_for([&] { return product.status(replayed).paused; });
  CHECK(absl::StrContains(product.status(replayed).paused_because, "--max-memory"));
  product.reopen();
  CHECK(product.status(replayed).paused);
  CHECK(absl::StrContains(product.status(replayed).paused_because, "--max-memory"));
  refused(product->swap({}, in(1)).status(), "is paused");
  require_ok(product->resume_replay(replayed, serve::ReplayBudget{.memory_bytes_max = 1u << 30}));
  CHECK(product.status(replayed).paused_because.empty());
  product.wait_until_ready(replayed);
  require_ok(product->swap({}, in(60)).status());
}

TEST_CASE_METHOD(Directory,
                 "a replay that is cancelled is gone, and its number is not used again") {
  ShopProduct product(path);
  product.shop.hit(100);
  const uint32_t replayed = product.replay(kLongWindows, {.records_per_second_max = 1});
  CHECK(std::filesystem::exists(product.path(replayed)));
  require_ok(product->cancel_replay(replayed));
  CHECK_FALSE(std::filesystem::exists(product.path(replayed)));
  CHECK(product->generations().size() == 1);
  refused(product->cancel_replay(replayed), "has no generation 2");
  product.reopen();
  CHECK(product.replay(kLongWindows) == 3);
}

TEST_CASE_METHOD(Directory, "what cannot be is refused, and changes nothing") {
  ShopProduct product(path);
  product.shop.hit(100);
  CHECK(absl::IsInvalidArgument(
      product
          ->start_replay({files_of("CREATE MATERIALIZED VIEW v AS SELECT 1 FROM nowhere;"), {}, {}})
          .status()));
  CHECK(refused(product->pause_replay(0), "kappa replay start") == absl::StatusCode::kNotFound);
  CHECK(refused(product->pause_replay(1), "is live") == absl::StatusCode::kFailedPrecondition);
  CHECK(refused(product->resume_replay(7, {}), "has no generation 7") ==
        absl::StatusCode::kNotFound);
  CHECK(refused(product->roll_back(false, in(1)).status(), "nothing to roll back to") ==
        absl::StatusCode::kFailedPrecondition);
  CHECK(product->drop_retired(0)->empty());
  CHECK(product->generations().size() == 1);

  product.replay(kLongWindows);
  refused(product->start_replay({files_of(kLongWindows), {}, {}}).status(),
          "before another one starts");
  CHECK(product->generations().size() == 2);
}

TEST_CASE_METHOD(Directory,
                 "new logic may read topics that the old one does not, and the other way round") {
  ShopProduct product(path);
  require_ok(product.shop.log->create_topic("names", {}));
  const std::string more = kShortWindows + R"(
CREATE FOREIGN TABLE names (page text, name text) SERVER log OPTIONS (topic 'names', format 'json');
CREATE MATERIALIZED VIEW titles WITH (key = 'page') AS SELECT page, name FROM names;
CREATE MATERIALIZED VIEW named AS
SELECT titles.name, count(*) AS hits FROM hits LEFT JOIN titles ON titles.page = hits.page GROUP BY titles.name;)";
  const auto rows_of = [&](const char* view) -> uint64_t {
    for (const auto& stats : product.served()->pipeline->stats().views) {
      if (stats.name == view) return stats.rows;
    }
    return 0;
  };
  const auto name = [&](const std::string& page) {
    const std::string json = absl::StrCat(R"({"page":")", page, R"(","name":"the )", page, "\"}");
    const log::RecordToAppend record{.key = {},
                                     .value = json,
                                     .timestamp = product.shop.clock.now(),
                                     .partition = 0,
                                     .headers = nullptr};
    require_ok(product.shop.log->append("names", {&record, 1}).status());
  };
  product.shop.hit(500);
  name("p1");
  product.shop.hit(500);
  product.wait_until_applied();
  const uint32_t named = product.replay(more);
  product.wait_until_ready(named);
  require_ok(
      product->swap({.generation = 0, .require_equal = {"pages", "windows"}}, in(60)).status());
  CHECK(rows_of("named") == 2);
  name("p2");
  product.shop.hit(500);
  wait_for([&] { return rows_of("named") == 3; });
  // What leads then does not read names; what comes after it does.
  require_ok(product->roll_back(false, in(60)).status());
  name("p3");
  product.shop.hit(500);
  product.reopen();
  name("p4");
  product.shop.hit(500);
  require_ok(product->roll_back(false, in(60)).status());
  CHECK(product.served()->id == named);
  wait_for([&] { return rows_of("named") == 5; });
  const uint32_t again = product.replay(more);
  product.wait_until_ready(again);
  const auto comparison = product->compare(again, 1, in(60));
  require_ok(comparison.status());
  CHECK(comparison->equal());
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  check_exactly_once(product.shop);
}

TEST_CASE_METHOD(Directory, "what is interrupted begins nothing more") {
  ShopProduct product(path);
  product.shop.hit(100);
  product.wait_until_ready(product.replay(kShortWindows));
  product->interrupt();
  CHECK(refused(product->compare(0, 0, in(60)).status(), "is being stopped") ==
        absl::StatusCode::kUnavailable);
  CHECK(refused(product->swap({}, in(60)).status(), "is being stopped") ==
        absl::StatusCode::kUnavailable);
  require_ok(product->stop());
}

TEST_CASE_METHOD(Directory, "what retention has removed is named, and can be done without") {
  ShopProduct product(path, kShortWindows, 5000);
  product.shop.hit(2000);
  product.wait_until_applied();
  require_ok(product.shop.log->enforce_retention());
  const int64_t first = product.shop.log->range({"hits", 0})->start.value;
  CHECK(first > 0);
  serve::ReplayRequest request{files_of(kShortWindows), {}, {"other"}};
  request.recompute_all = true;
  CHECK(refused(product->start_replay(request).status(), "read no topic other") ==
        absl::StatusCode::kInvalidArgument);
  request.accepted_gaps.clear();
  CHECK(refused(product->start_replay(request).status(), "--accept-gap hits") ==
        absl::StatusCode::kFailedPrecondition);
  request.accepted_gaps = {"hits"};
  const auto started = product->start_replay(request);
  require_ok(started.status());
  product.wait_until_ready(*started);
  product.shop.hit(100);
  product.wait_until_applied();
  const auto comparison = product->compare(*started, 0, in(60));
  require_ok(comparison.status());
  CHECK_FALSE(comparison->equal());
  require_ok(product->swap({}, in(60)).status());
  const int64_t left = 2100 - first - product.shop.log->range({"hits", 1})->start.value;
  CHECK(*hits_of(*product.served()->pipeline) == left);
}

TEST_CASE_METHOD(Directory, "retired generations are dropped but for the last ones") {
  ShopProduct product(path);
  product.shop.hit(100);
  for (uint32_t id = 2; id <= 4; ++id) {
    CHECK(product.replay(id % 2 == 0 ? kLongWindows : kShortWindows) == id);
    product.wait_until_ready(id);
    require_ok(product->swap({}, in(60)).status());
  }
  CHECK(*product->drop_retired(1) == std::vector<uint32_t>{1, 2});
  CHECK(std::filesystem::exists(product.path(3)));
  CHECK_FALSE(std::filesystem::exists(product.path(2)));
  require_ok(product->roll_back(false, in(60)).status());
  CHECK(product.served()->id == 3);
  // Forward again is a rollback as well.
  require_ok(product->roll_back(true, in(60)).status());
  CHECK(product.served()->id == 4);
  CHECK(*product->drop_retired(0) == std::vector<uint32_t>{3});
  refused(product->roll_back(false, in(1)).status(), "nothing to roll back to");
}

TEST_CASE_METHOD(Directory, "a restart finds each generation where the catalogue has it") {
  ShopProduct product(path);
  product.shop.hit(2000);
  product.wait_until_applied();
  const uint32_t replayed = product.replay(kLongWindows, {.records_per_second_max = 2000});
  for (int i = 0; i < 3; ++i) {
    wait_for([&] { return product.status(replayed).runs; });
    product.reopen();
    product.shop.hit(100);
  }
  require_ok(product->resume_replay(replayed, serve::ReplayBudget{}));
  product.wait_until_ready(replayed);
  product.reopen();
  CHECK(product.status(replayed).state == GenerationState::kReady);
  require_ok(product->swap({.require_equal = {}, .keep_following = true}, in(60)).status());
  product.reopen();
  CHECK(product.served()->id == replayed);
  product.shop.hit(500);
  product.wait_until_applied(1);
  require_ok(product->roll_back(false, in(60)).status());
  product.reopen();
  CHECK(product.served()->id == 1);
  CHECK_FALSE(product.status(replayed).runs);
  product.shop.hit(500);
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  check_exactly_once(product.shop);
}

}  // namespace kappa::replay
