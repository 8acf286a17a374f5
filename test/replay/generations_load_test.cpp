// Readers and writers that never stop, while generations are swapped.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/types/status_macros.h"
#include "test/pipeline/test_product.h"
#include "test/replay/product.h"

namespace kappa::replay {
namespace {

using std::chrono::steady_clock;
using test::require_ok;

// Whatever is seen, the pages' hits add up to the total.
std::string with_totals() {
  return kShortWindows + "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS hits FROM hits;";
}

absl::StatusOr<int64_t> sum_of(runtime::Snapshot& rows, operators::NodeId view, int column) {
  int64_t sum = 0;
  Arena arena;
  while (true) {
    KAPPA_ASSIGN_OR_RETURN(const Batch batch, rows.next(view, {column}, arena));
    if (batch.empty()) return sum;
    for (size_t row = 0; row < batch.rows; ++row) {
      sum += std::get<int64_t>(value_at(*batch.columns[0], row).data);
    }
  }
}

// Reads as fast as it can from whoever is live.
class Reader {
 public:
  explicit Reader(const ShopProduct& product) : product_(product), thread_([this] { run(); }) {}

  void stop() {
    stop_ = true;
    thread_.join();
  }

  absl::Status failed;
  std::string violation;
  int64_t reads = 0;
  steady_clock::duration longest{0};  // from one answer to the next

 private:
  absl::Status read() {
    const std::shared_ptr<Generation> live = product_.served();
    runtime::Pipeline& pipeline = *live->pipeline;
    const operators::NodeId pages = pipeline.plan().find_view("pages");
    const operators::NodeId totals = pipeline.plan().find_view("totals");
    KAPPA_ASSIGN_OR_RETURN(const auto rows, pipeline.pin({pages, totals}, in(60)));
    KAPPA_ASSIGN_OR_RETURN(const int64_t of_pages, sum_of(*rows, pages, 1));
    KAPPA_ASSIGN_OR_RETURN(const int64_t total, sum_of(*rows, totals, 0));
    if (of_pages != total || total < last_) {
      violation = absl::StrCat(of_pages, " hits of pages, ", total, " in all, ", last_, " before");
    }
    last_ = total;
    return absl::OkStatus();
  }
  void run() {
    steady_clock::time_point answered = steady_clock::now();
    while (!stop_ && failed.ok() && violation.empty()) {
      failed = read();
      const steady_clock::time_point now = steady_clock::now();
      longest = std::max(longest, now - answered);
      answered = now;
      ++reads;
    }
  }

  const ShopProduct& product_;
  int64_t last_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a reader sees one moment of one generation, through a hundred swaps") {
  const test::TemporaryDirectory directory;
  ShopProduct product(directory.path(""), with_totals());
  product.shop.hit(500);
  product.wait_until_applied();
  product.wait_until_ready(product.replay(with_totals()));
  std::atomic<bool> stop{false};
  absl::Status written;
  std::thread writer([&] {
    while (!stop && written.ok()) {
      written = product.shop.try_hit(3);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  Reader reader(product);
  absl::Status swapped;
  double held = 0;
  for (int i = 0; i < 100 && swapped.ok(); ++i) {
    const auto report =
        i == 0 ? product->swap({.generation = 0, .require_equal = {"*"}, .keep_following = true},
                               in(60))
               : product->roll_back(true, in(60));
    swapped = report.status();
    if (report.ok()) held = std::max(held, report->held_seconds);
  }
  reader.stop();
  stop = true;
  writer.join();
  require_ok(swapped);
  require_ok(written);
  require_ok(reader.failed);
  CHECK(reader.violation.empty());
  CHECK(reader.reads > 100);
  const std::chrono::duration<double, std::milli> longest = reader.longest;
  std::cout << reader.reads << " reads during 100 swaps; the longest gap between two answers was "
            << longest.count() << " ms, the longest hold of the order " << held * 1000 << " ms\n";
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  check_exactly_once(product.shop);
}

}  // namespace kappa::replay
