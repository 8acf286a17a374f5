// A process whose generations say different things in a topic by key, killed at every step of
// handing it over.

#include <cstdlib>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"
#include "test/replay/popular.h"
#include "test/replay/product.h"
#include "test/state/child_process.h"

namespace kappa::replay {
namespace {

using test::require_ok;

constexpr int kRounds = 4;
constexpr int kPortion = 300;  // hits between two steps
constexpr Popular kMany{.from = 2};
constexpr Popular kFew{.from = 5};

int hits_in(const log::Log& log) {
  int64_t hits = 0;
  for (int32_t p = 0; p < 2; ++p) hits += log.range({"hits", p})->end.value;
  return static_cast<int>(hits);
}

bool replays(ShopProduct& product) {
  for (const serve::GenerationStatus& status : product->generations()) {
    if (status.state == state::GenerationState::kReplaying ||
        status.state == state::GenerationState::kReady) {
      return true;
    }
  }
  return false;
}

bool serves(const ShopProduct& product, const Popular& popular) {
  for (const operators::Statement& statement : product.served()->pipeline->plan().statements) {
    if (absl::StrContains(statement.text, absl::StrCat("% 7 >= ", popular.from))) return true;
  }
  return false;
}

}  // namespace

// Hidden: the child. Each round swaps to the other logic, back, and there again by rollbacks, with
// hits in between. It goes on where it was killed.
TEST_CASE("child: topics by key are handed over", "[.]") {
  const char* const path = std::getenv("KAPPA_TEST_PATH");
  REQUIRE(path != nullptr);
  ShopProduct product(path, kMany.sql());
  product.shop.hits = hits_in(*product.shop.log);
  for (int round = 0; round < kRounds; ++round) {
    if (replays(product)) require_ok(product->cancel_replay(0));
    product.shop.hit(kPortion);
    product.wait_until_ready(product.replay(serves(product, kMany) ? kFew.sql() : kMany.sql()));
    require_ok(product->swap({}, in(60)).status());
    product.shop.hit(kPortion);
    require_ok(product->roll_back(round % 2 == 0, in(60)).status());
    product.shop.hit(kPortion);
    require_ok(product->roll_back(false, in(60)).status());
    require_ok(product->drop_retired(0).status());
    std::cout << "round" << std::endl;
  }
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  const Popular& live = serves(product, kMany) ? kMany : kFew;
  CHECK(contents_of(product.shop.published()) == live.contents(product.shop.hits));
  check_exactly_once(product.shop);
  std::cout << "outputs " << product.shop.published().numbers.size() << std::endl;
}

TEST_CASE("killed at a step of a handover: the topic ends with the new rows, each said once") {
  const char* failpoint = GENERATE("swap.committed", "handover.computed", "handover.durable",
                                   "handover.forgotten", "outbox.published");
  INFO(failpoint);
  const test::TemporaryDirectory directory;
  const auto start = [&](const std::string& at) {
    return state::ChildProcess("child: topics by key are handed over",
                               {{"KAPPA_TEST_PATH", directory.path("")}, {"KAPPA_FAIL_AT", at}});
  };
  for (const int times : {1, 1, 2, 3}) {  // the second one while it opens, if it can
    auto child = start(absl::StrCat(failpoint, ":", times));
    CHECK(child.wait() == -1);  // by a signal
  }
  state::ChildProcess last = start("");
  const std::string outputs = last.read_line("outputs ");
  CHECK(last.wait() == 0);
  CHECK(!outputs.empty());
}

}  // namespace kappa::replay
