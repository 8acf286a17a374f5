// Random logic after random logic, against a count of all hits.

#include <catch2/catch.hpp>

#include "test/pipeline/test_product.h"
#include "test/replay/popular.h"
#include "test/replay/product.h"
#include "test/runtime/model/dice.h"

namespace kappa::replay {
namespace {

using test::require_ok;

Popular random_logic(model::Dice& dice) {
  Popular popular;
  popular.slots = static_cast<int>(dice.between(1, 60));
  popular.from = static_cast<int>(dice.between(0, 7));
  popular.factor = static_cast<int>(dice.between(1, 3));
  popular.filter_in_view = dice.coin();
  return popular;
}

}  // namespace

TEST_CASE("whatever logic follows whatever logic, a topic by key holds the last one's rows") {
  const auto seed = GENERATE(range(1u, 7u));
  INFO("seed " << seed);
  model::Dice dice(seed);
  const test::TemporaryDirectory directory;
  Popular live = random_logic(dice);
  ShopProduct product(directory.path(""), live.sql());
  for (int step = 0; step < 6; ++step) {
    product.shop.hit(static_cast<int>(dice.between(0, 300)));
    if (dice.one_in(4)) product.reopen();
    const Popular next = random_logic(dice);
    product.wait_until_ready(product.replay(next.sql()));
    product.shop.hit(static_cast<int>(dice.between(0, 100)));
    require_ok(
        product->swap({.require_equal = {}, .keep_following = dice.coin()}, in(60)).status());
    if (dice.one_in(3)) {
      product.shop.hit(static_cast<int>(dice.between(0, 100)));
      require_ok(product->roll_back(dice.coin(), in(60)).status());
    } else {
      live = next;
    }
  }
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  CHECK(contents_of(product.shop.published()) == live.contents(product.shop.hits));
  check_exactly_once(product.shop);
}

}  // namespace kappa::replay
