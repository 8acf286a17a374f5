// A process with the generations of a product, killed at every step of what is done with them.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"
#include "test/replay/product.h"
#include "test/state/child_process.h"

namespace kappa::replay {
namespace {

using state::GenerationState;
using test::require_ok;

constexpr int kRounds = 4;
constexpr int kPortion = 300;  // hits between two steps

int hits_in(const log::Log& log) {
  int64_t hits = 0;
  for (int32_t p = 0; p < 2; ++p) hits += log.range({"hits", p})->end.value;
  return static_cast<int>(hits);
}

std::optional<serve::GenerationStatus> replay_of(ShopProduct& product) {
  for (const serve::GenerationStatus& status : product->generations()) {
    if (status.state == GenerationState::kReplaying || status.state == GenerationState::kReady) {
      return status;
    }
  }
  return std::nullopt;
}

int count(ShopProduct& product, GenerationState state) {
  int found = 0;
  for (const serve::GenerationStatus& status : product->generations()) {
    found += status.state == state;
  }
  return found;
}

// What a crash has left between the catalogue and the directories is gone.
void check_directories(ShopProduct& product) {
  size_t there = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(product.path(1)).parent_path())) {
    there += entry.is_directory() ? 1 : 0;
  }
  CHECK(there == product->generations().size());
}

}  // namespace

// Hidden: the child. Each round starts a replay and cancels it, starts another one, swaps it in,
// rolls back, swaps again by a rollback, and drops what is retired. It goes on where it was killed.
TEST_CASE("child: generations come and go", "[.]") {
  const char* const path = std::getenv("KAPPA_TEST_PATH");
  REQUIRE(path != nullptr);
  ShopProduct product(path);
  product.shop.hits = hits_in(*product.shop.log);
  CHECK(count(product, GenerationState::kLive) == 1);
  check_directories(product);
  for (int round = 0; round < kRounds; ++round) {
    const std::string& sql = product.served()->id % 2 == 0 ? kShortWindows : kLongWindows;
    product.shop.hit(kPortion);
    if (!replay_of(product)) product.replay(sql);
    require_ok(product->cancel_replay(0));
    product.shop.hit(kPortion);
    product.wait_until_ready(product.replay(sql));
    require_ok(product->swap({}, in(60)).status());
    product.shop.hit(kPortion);
    require_ok(product->roll_back(round % 2 == 0, in(60)).status());
    product.shop.hit(kPortion);
    require_ok(product->roll_back(false, in(60)).status());
    require_ok(product->drop_retired(0).status());
    CHECK(count(product, GenerationState::kRetired) == 0);
    std::cout << "round" << std::endl;
  }
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  CHECK(*hits_of(*product.served()->pipeline) == product.shop.hits);
  require_ok(product->stop());
  check_exactly_once(product.shop);
  std::cout << "outputs " << product.shop.published().numbers.size() << std::endl;
}

TEST_CASE("killed at a step of a generation's life: one is live, and each output leaves once") {
  const char* failpoint =
      GENERATE("replay.copied", "replay.made", "replay.started", "replay.cancelled", "swap.held",
               "swap.taken_over", "swap.committed", "rollback.follows", "replay.dropped");
  INFO(failpoint);
  const test::TemporaryDirectory directory;
  const auto start = [&](const std::string& at) {
    return state::ChildProcess("child: generations come and go",
                               {{"KAPPA_TEST_PATH", directory.path("")}, {"KAPPA_FAIL_AT", at}});
  };
  for (const int times : {1, 2, 3}) {
    auto child = start(absl::StrCat(failpoint, ":", times));
    CHECK(child.wait() == -1);  // by a signal
  }
  state::ChildProcess last = start("");
  const std::string outputs = last.read_line("outputs ");
  CHECK(last.wait() == 0);
  CHECK(!outputs.empty());
}

}  // namespace kappa::replay
