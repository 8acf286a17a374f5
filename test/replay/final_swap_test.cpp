// Final outputs, which change hands by event time when another generation comes to lead.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "replay/swap.h"
#include "test/pipeline/test_product.h"
#include "test/replay/final_shop.h"
#include "test/replay/product.h"

namespace kappa::replay {
namespace {

using test::require_ok;
using test::wait_for;

using Standstill = runtime::Pipeline::Standstill;

constexpr int64_t kStepMs = 5000;

// Two logics, of which the second one is the first but for one thing.
struct Pair {
  const char* what;
  FinalLogic before;
  FinalLogic after;
};
const Pair kPairs[] = {
    {"more grace", {.name = "a"}, {.name = "b", .grace_seconds = 600}},
    {"less grace", {.name = "a", .grace_seconds = 600}, {.name = "b"}},
    {"longer windows", {.name = "a"}, {.name = "b", .window_seconds = 150}},
    {"shorter windows", {.name = "a", .window_seconds = 150}, {.name = "b"}},
    {"a larger bound", {.name = "a"}, {.name = "b", .bound_seconds = 400}},
    {"a smaller bound", {.name = "a"}, {.name = "b", .bound_seconds = 20}},
    {"the same logic", {.name = "a"}, {.name = "b"}},
};

// Where a leader's final output is at the place that it has come to.
operators::OutputMarks marks_of(runtime::Pipeline& leader) {
  const auto at = leader.hold(in(60));
  require_ok(at.status());
  require_ok(leader.release(in(60)));
  return at->said_to;
}

struct FinalGenerations : TwoGenerations {
  FinalGenerations() { shop.step_ms = kStepMs; }

  void open(const FinalLogic& leads, const FinalLogic& follows) {
    logics[0] = leads;
    logics[1] = follows;
    turns = {{leads}};
    shop.open(first, true, leads.sql());
    shop.open(second, false, follows.sql());
  }
  ShopGeneration& generation(int i) { return i == 0 ? first : second; }
  // The other one leads from now on.
  absl::Status try_swap() {
    const int to = 1 - leader;
    const auto commit = [&](const Standstill& at) {
      turns.push_back({logics[to], said_to(at.said_to)});
      return absl::OkStatus();
    };
    const absl::Status swapped =
        swap(*generation(leader), *generation(to), shop.outbox.get(), {commit}, in(60));
    if (swapped.ok()) leader = to;
    return swapped;
  }
  void wait_until_applied(const ShopGeneration& by) const {
    wait_for([&] { return by->stats().records == static_cast<uint64_t>(shop.hits); });
  }
  // Lets checkpoints be due of what has changed.
  void pass_time() { shop.clock.set(LogTime{shop.clock.now().ms + 10}); }
  // Rows that have left by a logic.
  size_t rows_by(const FinalLogic& logic) const {
    const std::string name = absl::StrCat(R"("logic":")", logic.name, "\"");
    const auto rows = shop.published().values;
    return static_cast<size_t>(std::count_if(rows.begin(), rows.end(), [&](const std::string& row) {
      return absl::StrContains(row, name);
    }));
  }
  void complete_and_check() {
    ShopGeneration& last = generation(leader);
    wait_until_applied(last);
    require_ok(last->complete_live(in(60)));
    require_ok(last->stop());
    check_exactly_once(shop);
    CHECK(shop.published().values == said_by_turns(shop, shop.journal(), turns));
  }

  FinalLogic logics[2];
  int leader = 0;
  std::vector<FinalTurn> turns;
};

}  // namespace

TEST_CASE_METHOD(FinalGenerations,
                 "under load, each window is said once, by the generation whose event time it is") {
  const Pair& pair = kPairs[GENERATE(range(0, 7))];
  shop.workers = GENERATE(1u, 4u);
  INFO(pair.what << ", workers " << shop.workers);
  open(pair.before, pair.after);
  std::atomic<bool> stop{false};
  absl::Status written;
  std::thread writer([&] {
    while (!stop) {
      written.Update(shop.try_hit(7));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  absl::Status swapped;
  for (int i = 0; i < 8 && swapped.ok(); ++i) {
    if (i % 3 != 0) generation(1 - leader)->note_said(generation(leader)->stats().said_to);
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * i));
    swapped = try_swap();
  }
  stop = true;
  writer.join();
  require_ok(written);
  require_ok(swapped);
  complete_and_check();
}

TEST_CASE_METHOD(FinalGenerations, "a follower says at once what it has kept, over its crashes") {
  open({.name = "a", .grace_seconds = 600}, {.name = "b"});
  shop.hit(1000);
  wait_until_applied(first);
  wait_until_applied(second);
  // A checkpoint may have begun just before: time goes on until another one comes.
  wait_for([&] {
    pass_time();
    return kept_in(second) > 0;
  });
  shop.open(second, false, logics[1].sql());  // as after a crash
  wait_until_applied(second);
  require_ok(try_swap());
  require_ok(second->release(in(60)));  // once more says nothing more
  // Ten minutes of pages' windows that only the new logic has closed.
  wait_for([&] {
    pass_time();
    return kept_in(second) == 0;
  });
  const auto said = said_by_turns(shop, shop.journal(), turns);
  wait_for([&] {
    pass_time();
    return shop.published().values == said;
  });
  CHECK(rows_by(logics[1]) > 0);
  shop.hit(500);
  complete_and_check();
}

TEST_CASE_METHOD(FinalGenerations,
                 "a new leader holds back what the old one has said, and over its crashes") {
  open({.name = "a"}, {.name = "b", .grace_seconds = 600});
  shop.hit(1000);
  wait_until_applied(first);
  require_ok(try_swap());
  shop.hit(20);  // not yet where the old one was
  wait_until_applied(second);
  const size_t said = shop.published().values.size();
  first.pipeline.reset();
  shop.open(second, true, logics[1].sql());
  shop.open(first, false, logics[0].sql());
  shop.hit(20);
  wait_until_applied(second);
  CHECK(shop.published().values.size() == said);
  shop.hit(500);
  wait_until_applied(second);
  require_ok(try_swap());
  shop.hit(10);
  complete_and_check();
}

TEST_CASE_METHOD(FinalGenerations,
                 "a swap that fails loses nothing of what the follower has kept") {
  open({.name = "a", .grace_seconds = 600}, {.name = "b"});
  shop.hit(700);
  const absl::Status refused =
      swap(*first, *second, shop.outbox.get(),
           {[](const Standstill&) { return absl::InternalError("the disk is full"); }}, in(60));
  CHECK(refused.message() == "the disk is full");
  shop.hit(100);
  require_ok(try_swap());
  shop.hit(100);
  complete_and_check();
}

TEST_CASE_METHOD(FinalGenerations, "a follower drops what the leader has said for good") {
  open({.name = "a"}, {.name = "b"});
  const auto note = [&] { second->note_said(marks_of(*first)); };
  shop.hit(1000);
  wait_until_applied(first);
  wait_until_applied(second);
  wait_for([&] {
    pass_time();
    return kept_in(second) > 100;
  });
  note();
  // The next checkpoint takes it out of the store; five pages may have a window that has closed.
  shop.hit(1);
  wait_for([&] {
    pass_time();
    return kept_in(second) <= 5;
  });
  shop.hit(200);
  wait_until_applied(first);
  note();
  require_ok(try_swap());
  complete_and_check();
}

TEST_CASE_METHOD(FinalGenerations,
                 "an output that the old logic does not have changes hands by place") {
  FinalLogic other{.name = "b"};
  open({.name = "a"}, other);
  second.pipeline.reset();
  const std::string topic = "SERVER log OPTIONS (topic 'popular', format 'json');";
  shop.open(
      second, false,
      absl::StrCat(other.sql(), "CREATE FOREIGN TABLE more (page text, window_start timestamptz) ",
                   topic, "INSERT INTO more SELECT page, window_start FROM windows;"));
  shop.hit(500);
  wait_until_applied(first);
  wait_until_applied(second);
  require_ok(try_swap());
  CHECK(shop.published().popular.empty());
  shop.hit(100);
  complete_and_check();
  CHECK(shop.published().popular.size() > 5 * 5);
}

TEST_CASE(
    "a rollback changes hands by event time as well, whether the old one has followed or not") {
  const bool keep_following = GENERATE(false, true);
  const Pair& pair = kPairs[GENERATE(0, 1, 2, 5)];
  INFO(pair.what << (keep_following ? ", followed" : ""));
  const test::TemporaryDirectory directory;
  ShopProduct product(directory.path(""), pair.before.sql());
  product.shop.step_ms = kStepMs;
  std::vector<FinalTurn> turns = {{pair.before}};
  const auto next_turn = [&](const FinalLogic& logic) {
    product.wait_until_applied();
    turns.push_back({logic, said_to(marks_of(*product.served()->pipeline))});
  };
  product.shop.hit(800);
  product.wait_until_ready(product.replay(pair.after.sql()));
  product.shop.hit(200);
  next_turn(pair.after);
  require_ok(product->swap({0, {}, keep_following}, in(60)).status());
  product.shop.hit(GENERATE(20, 400));
  next_turn(pair.before);
  require_ok(product->roll_back(keep_following, in(60)).status());
  product.shop.hit(20);
  product.reopen();
  product.shop.hit(200);
  next_turn(pair.after);
  require_ok(product->roll_back(false, in(60)).status());
  product.shop.hit(100);
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  check_exactly_once(product.shop);
  CHECK(product.shop.published().values == said_by_turns(product.shop, product.journal(), turns));
}

}  // namespace kappa::replay
