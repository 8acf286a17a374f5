// Two generations of one product, which lead by turns.

#include "replay/swap.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <catch2/catch.hpp>

#include "test/pipeline/test_product.h"
#include "test/replay/shop.h"

namespace kappa::replay {
namespace {

using test::require_ok;
using test::wait_for;

using Standstill = runtime::Pipeline::Standstill;

const SwapSteps kCommit{[](const Standstill&) { return absl::OkStatus(); }};

}  // namespace

TEST_CASE_METHOD(TwoGenerations,
                 "two generations lead by turns under load, and each output leaves once") {
  ShopGeneration generations[2];
  shop.open(generations[0], true);
  shop.open(generations[1], false);
  std::atomic<int> live{0};
  std::atomic<bool> stop{false};
  absl::Status written;
  std::thread writer([&] {
    while (!stop) {
      written.Update(shop.try_hit(5));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  // What readers see never goes back, whoever answers.
  int64_t reads = 0;
  int64_t last = 0;
  bool fell = false;
  absl::Status failed;
  std::thread reader([&] {
    while (!stop) {
      const absl::StatusOr<int64_t> seen = hits_of(*generations[live]);
      failed.Update(seen.status());
      if (!seen.ok()) continue;
      fell = fell || *seen < last;
      last = *seen;
      ++reads;
    }
  });
  constexpr int kSwaps = 30;
  for (int i = 0; i < kSwaps; ++i) {
    const int from = i % 2;
    const absl::Status swapped = swap(*generations[from], *generations[1 - from], shop.outbox.get(),
                                      {[&](const Standstill&) {
                                        live = 1 - from;
                                        return absl::OkStatus();
                                      }},
                                      in(60));
    INFO(swapped.ToString());
    CHECK(swapped.ok());
  }
  stop = true;
  writer.join();
  reader.join();
  require_ok(written);
  require_ok(failed);
  CHECK_FALSE(fell);
  CHECK(reads > 0);
  wait_for([&] { return generations[0]->stats().records == static_cast<uint64_t>(shop.hits); });
  require_ok(generations[0]->complete_live(in(60)));  // it leads again
  require_ok(generations[0]->stop());
  const std::string dump = *generations[0]->canonical_dump();
  wait_for([&] { return generations[1]->canonical_dump().value_or("") == dump; });
  check_exactly_once(shop);
  // Five pages, every window: all of what the view has.
  CHECK(shop.published().values.size() == generations[0]->stats().views[1].rows);
}

TEST_CASE_METHOD(
    TwoGenerations,
    "a swap that is not committed leaves everything as it was, and can be tried again") {
  shop.open(first, true);
  shop.open(second, false);
  shop.hit(1000);
  const absl::Status refused =
      swap(*first, *second, shop.outbox.get(),
           {[](const Standstill&) { return absl::InternalError("the disk is full"); }}, in(60));
  CHECK(refused.message() == "the disk is full");
  shop.hit(1000);
  wait_for([&] { return first->stats().records == 2000; });
  wait_for([&] { return second->stats().records == 2000; });
  require_ok(swap(*first, *second, shop.outbox.get(), kCommit, in(60)));
  shop.hit(1000);
  wait_for([&] { return first->stats().records == 3000; });
  require_ok(second->stop());
  check_exactly_once(shop);
}

TEST_CASE_METHOD(TwoGenerations,
                 "a new leader's changelog gets a compacted topic, as an old one's would") {
  shop.open(first, true);
  shop.open(second, false, kShortWindows + R"(
CREATE FOREIGN TABLE seen (page text, hits bigint, PRIMARY KEY (page))
SERVER log OPTIONS (topic 'seen', format 'json', mode 'upsert');
INSERT INTO seen SELECT page, hits FROM pages;
)");
  require_ok(swap(*first, *second, shop.outbox.get(), kCommit, in(60)));
  shop.hit(100);
  wait_for([&] { return second->stats().records == 100; });
  require_ok(second->stop());
  const auto topic = shop.log->topic("seen");
  require_ok(topic.status());
  CHECK(topic->config.compacted.value_or(false));
}

TEST_CASE_METHOD(TwoGenerations, "a follower that is not there in time leaves the leader leading") {
  shop.open(first, true);
  shop.open(second, false);
  require_ok(second->stop());
  shop.hit(100);
  CHECK(absl::IsFailedPrecondition(swap(*first, *second, shop.outbox.get(), kCommit, in(60))));
  CHECK(absl::IsFailedPrecondition(second->hold(in(60)).status()));
  CHECK(absl::IsFailedPrecondition(first->give_up(in(60))));
  CHECK(absl::IsFailedPrecondition(first->take_over({}, shop.outbox.get(), in(60))));
  shop.hit(100);
  wait_for([&] { return first->stats().records == 200; });
}

TEST_CASE_METHOD(TwoGenerations,
                 "after a crash whoever the catalogue names leads, and outputs go on") {
  const bool committed = GENERATE(false, true);
  shop.open(first, true);
  shop.open(second, false);
  shop.hit(1000);
  wait_for([&] { return first->stats().records == 1000; });
  const auto at = first->hold(in(60));
  require_ok(at.status());
  require_ok(second->take_over(*at, shop.outbox.get(), in(60)));
  if (committed) {
    require_ok(first->give_up(in(60)));
    require_ok(second->release(in(60)));
    shop.hit(300);
    wait_for([&] { return second->stats().records == 1300; });
  }
  first.pipeline.reset();
  second.pipeline.reset();
  ShopGeneration& leader = committed ? second : first;
  ShopGeneration& follower = committed ? first : second;
  shop.open(leader, true);
  shop.open(follower, false);
  shop.hit(1000);
  const auto all = static_cast<uint64_t>(shop.hits);
  wait_for([&] { return leader->stats().records == all; });
  // And back, or on.
  require_ok(swap(*leader, *follower, shop.outbox.get(), kCommit, in(60)));
  shop.hit(1000);
  wait_for([&] { return follower->stats().records == all + 1000; });
  require_ok(follower->complete_live(in(60)));
  require_ok(follower->stop());
  check_exactly_once(shop);
  CHECK(shop.published().values.size() == follower->stats().views[1].rows);
}

TEST_CASE_METHOD(TwoGenerations,
                 "a new leader that dies at once goes on where the old one's outputs end") {
  shop.open(first, true);
  shop.hit(2000);
  wait_for([&] { return first->stats().records == 2000; });
  shop.open(second, false, kLongWindows);
  wait_for([&] { return second->stats().records == 2000; });
  // Its own checkpoint is of this place already, with numbers of its own.
  shop.clock.set(LogTime{shop.clock.now().ms + 10});
  wait_for([&] { return second->stats().last_checkpoint_ms == shop.clock.now().ms; });
  const auto at = first->hold(in(60));
  require_ok(at.status());
  require_ok(second->take_over(*at, shop.outbox.get(), in(60)));
  const size_t published = shop.published().values.size();
  const size_t closed = closed_windows(*second);
  first.pipeline.reset();
  shop.open(second, true, kLongWindows);
  shop.hit(2000);
  require_ok(second->complete_live(in(60)));
  require_ok(second->stop());
  check_exactly_once(shop);
  CHECK(shop.published().values.size() - published == closed_windows(*second) - closed);
}

TEST_CASE_METHOD(TwoGenerations,
                 "new logic answers from its own state, and publishes from the swap on") {
  shop.open(first, true);
  shop.hit(2000);
  wait_for([&] { return first->stats().records == 2000; });
  shop.open(second, false, kLongWindows);
  require_ok(swap(*first, *second, shop.outbox.get(), kCommit, in(60)));
  const size_t published = shop.published().values.size();
  const size_t closed = closed_windows(*second);
  shop.hit(2000);
  wait_for([&] { return second->stats().records == 4000; });
  require_ok(second->complete_live(in(60)));
  require_ok(second->stop());
  const Shop::Published after = shop.published();
  CHECK(after.values.size() - published == closed_windows(*second) - closed);
  check_exactly_once(shop);
  CHECK(*hits_of(*second) == 4000);
}

}  // namespace kappa::replay
