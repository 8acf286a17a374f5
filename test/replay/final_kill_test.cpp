// A process with two generations whose windows close at other times, killed at every step of a swap
// and at checkpoints of both.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "replay/swap.h"
#include "test/pipeline/test_product.h"
#include "test/replay/final_shop.h"
#include "test/state/child_process.h"

namespace kappa::replay {
namespace {

using test::require_ok;
using test::wait_for;

constexpr int kHits = 3000;
constexpr int kPortion = 150;  // hits between two swaps

const FinalLogic kLogics[] = {{.name = "patient", .grace_seconds = 600},
                              {.name = "quick", .window_seconds = 30}};

// Whose turns it has been, on disk: what a catalogue would say.
class Turns {
 public:
  explicit Turns(const std::string& directory) : path_(directory + "/turns") {
    std::ifstream in(path_);
    size_t leader = 0;
    int64_t from_us = 0;
    while (in >> leader >> from_us) {
      lines_ += absl::StrCat(leader, " ", from_us, "\n");
      leads(leader, from_us);
    }
    if (all_.empty()) all_.push_back({kLogics[0]});
  }
  size_t leader() const { return leader_; }
  const std::vector<FinalTurn>& all() const { return all_; }
  absl::Status commit(size_t leader, int64_t from_us) {
    lines_ += absl::StrCat(leader, " ", from_us, "\n");
    std::ofstream(path_ + ".new") << lines_;
    std::filesystem::rename(path_ + ".new", path_);
    leads(leader, from_us);
    return absl::OkStatus();
  }

 private:
  void leads(size_t leader, int64_t from_us) {
    leader_ = leader;
    if (all_.empty()) all_.push_back({kLogics[0]});
    all_.push_back({kLogics[leader], from_us});
  }
  std::string path_;
  std::string lines_;
  size_t leader_ = 0;
  std::vector<FinalTurn> all_;
};

int hits_in(const log::Log& log) {
  int64_t hits = 0;
  for (int32_t p = 0; p < 2; ++p) hits += log.range({"hits", p})->end.value;
  return static_cast<int>(hits);
}

void open_stores(const std::string& directory, ShopGeneration* generations) {
  for (size_t i = 0; i < 2; ++i) {
    const std::string path = absl::StrCat(directory, "/generation-", i);
    std::filesystem::create_directories(path);
    auto store = state::open_rocksdb_store(path);
    require_ok(store.status());
    generations[i].store = *std::move(store);
  }
}

}  // namespace

// Hidden: the child.
TEST_CASE("child: two generations with final outputs until all hits are there", "[.]") {
  const char* const path = std::getenv("KAPPA_TEST_PATH");
  REQUIRE(path != nullptr);
  Shop shop(path);
  shop.step_ms = 5000;
  shop.hits = hits_in(*shop.log);
  Turns turns(path);
  ShopGeneration generations[2];
  open_stores(path, generations);
  for (const size_t i : {turns.leader(), 1 - turns.leader()}) {
    shop.open(generations[i], i == turns.leader(), kLogics[i].sql());
  }
  while (shop.hits < kHits) {
    shop.hit(std::min(kPortion, kHits - shop.hits));  // it may have died in the midst of some
    ShopGeneration& from = generations[turns.leader()];
    const size_t next = 1 - turns.leader();
    generations[next]->note_said(from->stats().said_to);
    require_ok(swap(*from, *generations[next], shop.outbox.get(),
                    {[&](const auto& at) { return turns.commit(next, said_to(at.said_to)); }},
                    in(60)));
  }
  ShopGeneration& last = generations[turns.leader()];
  wait_for([&] { return last->stats().records == static_cast<uint64_t>(kHits); });
  require_ok(last->complete_live(in(60)));
  require_ok(last->stop());
  check_exactly_once(shop);
  CHECK(shop.published().values == said_by_turns(shop, shop.journal(), turns.all()));
  std::cout << "outputs " << shop.published().numbers.size() << std::endl;
}

TEST_CASE("killed at a step of a swap or at a checkpoint: each window is said once, as it should") {
  const char* failpoint =
      GENERATE("swap.held", "swap.taken_over", "swap.committed", "checkpoint.before_write",
               "checkpoint.written", "outbox.published");
  INFO(failpoint);
  const test::TemporaryDirectory directory;
  const auto start = [&](const std::string& at) {
    return state::ChildProcess("child: two generations with final outputs until all hits are there",
                               {{"KAPPA_TEST_PATH", directory.path("")}, {"KAPPA_FAIL_AT", at}});
  };
  for (const int times : {2, 1, 3, 4}) {
    auto child = start(absl::StrCat(failpoint, ":", times));
    CHECK(child.wait() == -1);  // by a signal
  }
  state::ChildProcess last = start("");
  const std::string outputs = last.read_line("outputs ");
  CHECK(last.wait() == 0);
  CHECK(!outputs.empty());
}

}  // namespace kappa::replay
