// A process with two generations, killed at every step of a swap.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "replay/swap.h"
#include "test/pipeline/test_product.h"
#include "test/replay/shop.h"
#include "test/state/child_process.h"

namespace kappa::replay {
namespace {

using test::require_ok;
using test::wait_for;

constexpr int kHits = 4000;
constexpr int kPortion = 250;  // hits between two swaps

// Which generation leads: what a catalogue would say.
int leader_of(const std::string& directory) {
  std::ifstream in(directory + "/leader");
  int leader = 0;
  in >> leader;
  return leader;
}

absl::Status commit(const std::string& directory, int leader) {
  std::ofstream(directory + "/leader.new") << leader << "\n";
  std::filesystem::rename(directory + "/leader.new", directory + "/leader");
  return absl::OkStatus();
}

int hits_in(const log::Log& log) {
  int64_t hits = 0;
  for (int32_t p = 0; p < 2; ++p) hits += log.range({"hits", p})->end.value;
  return static_cast<int>(hits);
}

// Two generations on disk; the second one has other windows, so they count other outputs.
struct Generations {
  explicit Generations(const std::string& directory) {
    for (size_t i = 0; i < 2; ++i) {
      const std::string path = absl::StrCat(directory, "/generation-", i);
      std::filesystem::create_directories(path);
      auto store = state::open_rocksdb_store(path);
      require_ok(store.status());
      each[i].store = *std::move(store);
    }
  }
  void open(Shop& shop, size_t leader) {
    shop.open(each[leader], true, sql(leader));
    shop.open(each[1 - leader], false, sql(1 - leader));
  }
  static const std::string& sql(size_t generation) {
    return generation == 0 ? kShortWindows : kLongWindows;
  }
  ShopGeneration each[2];
};

}  // namespace

// Hidden: the child.
TEST_CASE("child: two generations until all hits are there", "[.]") {
  const char* const path = std::getenv("KAPPA_TEST_PATH");
  REQUIRE(path != nullptr);
  const std::string directory = path;
  auto leader = static_cast<size_t>(leader_of(directory));
  Shop shop(directory);
  shop.hits = hits_in(*shop.log);
  Generations generations(directory);
  generations.open(shop, leader);
  while (shop.hits < kHits) {
    shop.hit(kPortion);
    ShopGeneration& from = generations.each[leader];
    const auto next = 1 - leader;
    require_ok(swap(*from, *generations.each[next], shop.outbox.get(),
                    {[&](const auto&) { return commit(directory, static_cast<int>(next)); }},
                    in(60)));
    leader = next;
    std::cout << "swapped" << std::endl;
  }
  for (ShopGeneration& generation : generations.each) {
    wait_for([&] { return generation->stats().records == static_cast<uint64_t>(kHits); });
  }
  require_ok(generations.each[leader]->complete_live(in(60)));
  require_ok(generations.each[leader]->stop());
  check_exactly_once(shop);
  std::cout << "outputs " << shop.published().numbers.size() << std::endl;
}

TEST_CASE("killed at a step of a swap: one generation leads, and each output leaves once") {
  const char* failpoint = GENERATE("swap.held", "swap.taken_over", "swap.committed");
  INFO(failpoint);
  const test::TemporaryDirectory directory;
  const auto start = [&](const std::string& at) {
    return state::ChildProcess("child: two generations until all hits are there",
                               {{"KAPPA_TEST_PATH", directory.path("")}, {"KAPPA_FAIL_AT", at}});
  };
  for (const int times : {1, 2, 3}) {
    auto child = start(absl::StrCat(failpoint, ":", times));
    for (int i = 1; i < times; ++i) CHECK(child.read_line("swapped").empty());
    CHECK(child.wait() == -1);  // by a signal
  }
  state::ChildProcess last = start("");
  const std::string outputs = last.read_line("outputs ");
  CHECK(last.wait() == 0);
  CHECK(!outputs.empty());
}

}  // namespace kappa::replay
