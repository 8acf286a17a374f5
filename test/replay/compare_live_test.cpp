// Two running generations of one product, compared at one place of their order.

#include <catch2/catch.hpp>

#include "engine/types/status_macros.h"
#include "replay/compare.h"
#include "test/replay/naive_difference.h"
#include "test/replay/shop.h"

namespace kappa::replay {
namespace {

using operators::NodeId;
using serve::ViewDifference;
using test::require_ok;
using test::wait_for;

constexpr size_t kMemory = 64 << 20;

const std::string kByRecord = "CREATE MATERIALIZED VIEW late_pages AS SELECT page FROM hits";

std::unique_ptr<runtime::Snapshot> pin(ShopGeneration& generation) {
  auto pinned = generation->pin(generation->plan().views(), in(60));
  require_ok(pinned.status());
  return *std::move(pinned);
}

// All that the log has, applied by both.
struct Pinned {
  Pinned(TwoGenerations& shop) {
    require_ok(shop.first->complete_live(in(60)));
    first = pin(shop.first);
    wait_for([&] {
      second = pin(shop.second);
      return second->stamp().place == first->stamp().place &&
             second->stamp().watermark == first->stamp().watermark;
    });
  }
  std::unique_ptr<runtime::Snapshot> first;
  std::unique_ptr<runtime::Snapshot> second;
};

std::vector<Row> rows_of(ShopGeneration& generation, runtime::Snapshot& rows, const char* view) {
  const NodeId id = generation->plan().find_view(view);
  std::vector<int> columns;
  for (int c = 0; c < static_cast<int>(generation->plan().node(id).schema.size()); ++c) {
    columns.push_back(c);
  }
  require_ok(rows.rewind(id));
  std::vector<Row> all;
  while (true) {
    Arena arena;
    const auto batch = rows.next(id, columns, arena);
    require_ok(batch.status());
    if (batch->empty()) return all;
    for (size_t r = 0; r < batch->rows; ++r) {
      Row& row = all.emplace_back();
      for (const ColumnRef& column : batch->columns) row.push_back(value_at(*column, r));
    }
  }
}

}  // namespace

TEST_CASE_METHOD(TwoGenerations, "two generations of one logic are equal") {
  shop.open(first, true, kShortWindows + kByRecord + ";");
  shop.open(second, false, kShortWindows + kByRecord + ";");
  shop.hit(3000);
  const Pinned pinned(*this);
  const auto found =
      compare({first->plan(), *pinned.first}, {second->plan(), *pinned.second}, 3, kMemory);
  require_ok(found.status());
  REQUIRE(found->size() == 3);
  for (const ViewDifference& view : *found) {
    INFO(view.view);
    CHECK(view.equal());
    CHECK(view.rows_before > 0);
    CHECK(view.rows_before == view.rows_after);
    CHECK(view.checksum_before == view.checksum_after);
    CHECK(view.samples.empty());
  }
  CHECK(found->at(0).view == "late_pages");
  CHECK(found->at(0).rows_before == 3000);
}

TEST_CASE_METHOD(TwoGenerations, "generations of two logics differ where a naive count says so") {
  shop.open(first, true, kShortWindows + kByRecord + ";");
  shop.open(second, false, kLongWindows + kByRecord + " WHERE n >= 100;");
  shop.hit(3000);
  const Pinned pinned(*this);
  const auto found =
      compare({first->plan(), *pinned.first}, {second->plan(), *pinned.second}, 3, kMemory);
  require_ok(found.status());
  REQUIRE(found->size() == 3);
  const ViewDifference& by_record = found->at(0);
  CHECK(by_record.changed == 0);
  CHECK(by_record.removed == 100);
  CHECK(by_record.added == 0);
  CHECK(by_record.samples.size() == 3);
  CHECK(by_record.rows_before == 3000);
  CHECK(found->at(1).equal());
  const ViewDifference& windows = found->at(2);
  REQUIRE(windows.view == "windows");
  CHECK(windows.changed > 0);
  CHECK(windows.added > 0);
  CHECK(windows.removed > 0);
  check_difference(windows, rows_of(first, *pinned.first, "windows"),
                   rows_of(second, *pinned.second, "windows"), {"window_start", "page", "n"}, 2, 3);
}

}  // namespace kappa::replay
