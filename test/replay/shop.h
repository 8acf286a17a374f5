#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/log/header_outbox.h"
#include "engine/runtime/pipeline.h"
#include "engine/types/clock.h"
#include "state/store.h"
#include "test/pipeline/test_product.h"

namespace kappa::replay {

// A product in two versions: hits of pages, counted in windows of two seconds, or of five.
extern const std::string kShortWindows;
extern const std::string kLongWindows;

inline runtime::Deadline in(int seconds) {
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

// One complete state of the product.
struct ShopGeneration {
  std::unique_ptr<state::StateStore> store = state::make_memory_store();
  std::unique_ptr<runtime::Pipeline> pipeline;
  runtime::Pipeline& operator*() const { return *pipeline; }
  runtime::Pipeline* operator->() const { return pipeline.get(); }
};

// A log with a topic of hits, and what its generations share.
class Shop {
 public:
  // The directory outlives it. The log keeps hits for so long, or for ever.
  explicit Shop(const std::string& directory, std::optional<int64_t> retention_ms = std::nullopt);

  // Opens a generation, or opens it again as after a crash, and starts it.
  void open(ShopGeneration& generation, bool leads, const std::string& sql = kShortWindows);

  // Appends the next hits, the first of which is number 0. Any thread: test frameworks take
  // assertions from one only.
  absl::Status try_hit(int count);
  void hit(int count);

  // The numbers of all that has left, late rows among them, and the payloads of the output topic;
  // and of a topic by key, if a product has one called that, its records.
  struct Published {
    std::multiset<uint64_t> numbers;
    std::multiset<std::string> values;
    std::vector<std::pair<std::string, std::optional<std::string>>> popular;
  };
  Published published() const;

  // Of the order that its generations share, unless they are a product's (ShopProduct).
  std::string journal() const { return directory_ + "/journal"; }

  int64_t step_ms = 10;  // from hit to hit, which come up to 18 steps too late
  uint32_t workers = 1;
  ManualClock clock;
  std::unique_ptr<log::EmbeddedLog> log;
  std::unique_ptr<log::HeaderOutbox> outbox;
  int hits = 0;

 private:
  std::string directory_;
};

// The same in a directory of its own, with two generations that nobody has opened yet.
struct TwoGenerations {
  test::TemporaryDirectory directory;
  Shop shop{directory.path("")};
  ShopGeneration first;
  ShopGeneration second;
};

// Every number once, from 0 on; every row once.
void check_exactly_once(const Shop& shop);
// All hits that a moment of a generation shows, over all pages.
absl::StatusOr<int64_t> hits_of(runtime::Pipeline& pipeline);
// The windows that have closed, each of which has been an output.
size_t closed_windows(runtime::Pipeline& pipeline);

}  // namespace kappa::replay
