// Random logic after random logic, against a count of all hits, and against what readers see.

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "replay/changed_outputs.h"
#include "replay/keyed_records.h"
#include "test/pipeline/test_product.h"
#include "test/replay/popular.h"
#include "test/replay/product.h"
#include "test/runtime/model/dice.h"

namespace kappa::replay {
namespace {

using test::require_ok;
using test::wait_for;

Popular random_logic(model::Dice& dice) {
  Popular popular;
  popular.slots = static_cast<int>(dice.between(1, 60));
  popular.from = static_cast<int>(dice.between(0, 7));
  popular.factor = static_cast<int>(dice.between(1, 3));
  popular.filter_in_view = dice.coin();
  return popular;
}

// Windows that come and, unless they are final, go: by other keys than before, if need be.
std::string random_windows(model::Dice& dice) {
  const bool final = dice.one_in(3);
  const std::string options =
      final ? "emit = 'final'" : absl::StrCat("retention = '", dice.between(2, 8), " seconds'");
  return absl::StrCat(kShortWindows, R"(
CREATE FOREIGN TABLE popular (window_start timestamptz, page text, n bigint, PRIMARY KEY (page, window_start))
SERVER log OPTIONS (topic 'popular', format 'json', mode 'upsert');
CREATE MATERIALIZED VIEW recent WITH ()",
                      options, ") AS SELECT window_start, page, count(*) AS n FROM tumble(hits, ",
                      "at, INTERVAL '", dice.between(1, 3),
                      " seconds') GROUP BY window_start, page;\n",
                      "INSERT INTO popular SELECT window_start, page, n FROM recent WHERE n > ",
                      dice.between(0, 18), ";\n");
}

// What the live generation shows of the relation that the topic holds.
std::map<std::string, std::string> shown(const ShopProduct& product) {
  const std::shared_ptr<Generation> live = product.served();
  const Logic logic = logic_of(*live);
  const operators::NodeId output = logic.plan.nodes.back().id;
  const auto rows = live->pipeline->pin({view_of_output(logic.plan, output)}, in(60));
  require_ok(rows.status());
  std::map<std::string, std::string> contents;
  require_ok(visit_records(logic, output, **rows, [&](std::string key, std::string payload) {
    CHECK(contents.emplace(std::move(key), std::move(payload)).second);
  }));
  return contents;
}

// Swaps one logic after another in, sometimes back, with hits and crashes in between.
template <typename Next>
void change_at_random(ShopProduct& product, model::Dice& dice, int hits_max, Next next) {
  for (int step = 0; step < 6; ++step) {
    product.shop.hit(static_cast<int>(dice.between(0, hits_max)));
    if (dice.one_in(4)) product.reopen();
    product.wait_until_ready(product.replay(next()));
    product.shop.hit(static_cast<int>(dice.between(0, hits_max)));
    require_ok(
        product->swap({.require_equal = {}, .keep_following = dice.coin()}, in(60)).status());
    product.shop.hit(static_cast<int>(dice.between(0, hits_max)));
    if (dice.one_in(3)) require_ok(product->roll_back(dice.coin(), in(60)).status());
  }
  product.wait_until_applied();
}

}  // namespace

TEST_CASE("whatever logic follows whatever logic, a topic by key holds the last one's rows") {
  const auto seed = GENERATE(range(1u, 6u));
  INFO("seed " << seed);
  model::Dice dice(seed);
  const test::TemporaryDirectory directory;
  std::vector<Popular> each = {random_logic(dice)};  // by generation
  ShopProduct product(directory.path(""), each.back().sql());
  change_at_random(product, dice, 100, [&] { return each.emplace_back(random_logic(dice)).sql(); });
  require_ok(product->stop());
  const Popular& live = each[product.served()->id - 1];
  CHECK(contents_of(product.shop.published()) == live.contents(product.shop.hits));
  check_exactly_once(product.shop);
}

TEST_CASE("a topic by key holds what readers see, whatever came before, as windows come and go") {
  const auto seed = GENERATE(range(1u, 7u));
  INFO("seed " << seed);
  model::Dice dice(seed);
  const test::TemporaryDirectory directory;
  ShopProduct product(directory.path(""), random_windows(dice));
  change_at_random(product, dice, 400, [&] { return random_windows(dice); });
  wait_for([&] {
    product.shop.clock.set(LogTime{product.shop.clock.now().ms + 10});  // checkpoints publish
    return contents_of(product.shop.published()) == shown(product);
  });
  require_ok(product->stop());
  check_exactly_once(product.shop);
}

}  // namespace kappa::replay
