// A topic by key after a swap: it holds what the new generation says, and nothing was said twice.

#include "replay/handover.h"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/catalog.h"
#include "test/pipeline/test_product.h"
#include "test/replay/popular.h"
#include "test/replay/product.h"

namespace kappa::replay {
namespace {

using test::require_ok;
using test::wait_for;
using Contents = std::map<std::string, std::string>;

constexpr Popular kMany{.from = 2};
constexpr Popular kFew{.from = 5};

struct Directory {
  test::TemporaryDirectory directory;
  std::string path = directory.path("");
};

size_t records(const ShopProduct& product) {
  return product.shop.published().popular.size();
}

// With all hits there are applied, and what came of them published.
void settle(ShopProduct& product, const Popular& popular) {
  product.wait_until_applied();
  // Checkpoints publish, and the clock says when.
  wait_for([&] {
    product.shop.clock.set(LogTime{product.shop.clock.now().ms + 10});
    return contents_of(product.shop.published()) == popular.contents(product.shop.hits);
  });
}

void swap_in(ShopProduct& product, const std::string& sql) {
  product.wait_until_ready(product.replay(sql));
  require_ok(product->swap({}, in(60)).status());
}

void end(ShopProduct& product, const Popular& popular) {
  product.wait_until_applied();
  require_ok(product.served()->pipeline->complete_live(in(60)));
  require_ok(product->stop());
  CHECK(contents_of(product.shop.published()) == popular.contents(product.shop.hits));
  check_exactly_once(product.shop);
}

// The records between two contents: one for each key that is new or has another payload, a
// tombstone for each that is gone, in the order of keys.
std::vector<std::pair<std::string, std::optional<std::string>>> difference_of(
    const Contents& before, const Contents& after) {
  std::vector<std::pair<std::string, std::optional<std::string>>> records;
  std::set<std::string> keys;
  for (const Contents* side : {&before, &after}) {
    for (const auto& [key, payload] : *side) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const auto was = before.find(key);
    const auto is = after.find(key);
    if (is == after.end()) {
      records.emplace_back(key, std::nullopt);
    } else if (was == before.end() || was->second != is->second) {
      records.emplace_back(key, is->second);
    }
  }
  return records;
}

// Checks what has left since there were so many records.
void check_difference(const ShopProduct& product, size_t first, const Popular& before,
                      const Popular& after) {
  const int hits = product.shop.hits;
  const auto expected = difference_of(before.contents(hits), after.contents(hits));
  CHECK_FALSE(expected.empty());
  wait_for([&] { return records(product) >= first + expected.size(); });
  const auto all = product.shop.published().popular;
  const std::vector<std::pair<std::string, std::optional<std::string>>> left(
      all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
  CHECK(left == expected);
}

}  // namespace

TEST_CASE_METHOD(Directory,
                 "after a swap a topic by key holds the new view's rows, and after a rollback the "
                 "old one's") {
  ShopProduct product(path, kMany.sql());
  product.shop.hit(3000);
  settle(product, kMany);
  size_t first = records(product);
  swap_in(product, kFew.sql());
  check_difference(product, first, kMany, kFew);
  product.shop.hit(500);
  settle(product, kFew);

  first = records(product);
  require_ok(product->roll_back(false, in(60)).status());
  check_difference(product, first, kFew, kMany);
  product.shop.hit(500);
  end(product, kMany);
}

TEST_CASE_METHOD(Directory, "keys that both have say nothing, those with other payloads do") {
  const Popular before{.from = 3, .factor = 1, .filter_in_view = true};
  const Popular other{.from = 2, .factor = 3, .filter_in_view = true};
  ShopProduct product(path, before.sql());
  product.shop.hit(1000);
  settle(product, before);
  const size_t first = records(product);
  swap_in(product, other.sql());
  check_difference(product, first, before, other);
  end(product, other);
}

TEST_CASE_METHOD(Directory, "topics by key are handed over under load, by turns") {
  ShopProduct product(path, kMany.sql());
  product.shop.hit(1000);
  product.wait_until_ready(product.replay(kFew.sql()));
  std::atomic<bool> stop{false};
  absl::Status written;
  std::thread writer([&] {
    while (!stop && written.ok()) {
      written = product.shop.try_hit(5);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  absl::Status swapped =
      product->swap({.require_equal = {}, .keep_following = true}, in(60)).status();
  for (int i = 0; i < 20 && swapped.ok(); ++i) swapped = product->roll_back(true, in(60)).status();
  stop = true;
  writer.join();
  require_ok(swapped);
  require_ok(written);
  CHECK(product.served()->id == 2);
  end(product, kFew);
}

TEST_CASE_METHOD(Directory, "an output that has not changed says nothing when it changes hands") {
  ShopProduct product(path, kMany.sql());
  product.shop.hit(1000);
  settle(product, kMany);
  const size_t first = records(product);
  swap_in(product, kMany.sql(kLongWindows));
  require_ok(product->roll_back(false, in(60)).status());
  CHECK(records(product) == first);
  end(product, kMany);
  CHECK(records(product) == first);
}

TEST_CASE_METHOD(Directory, "a topic that the former logic does not write is brought up to date") {
  ShopProduct product(path);
  product.shop.hit(1000);
  product.wait_until_applied();
  swap_in(product, kMany.sql());
  wait_for_contents(product, kMany.contents(1000));
  // It is nobody's for a while, and stays as it is.
  require_ok(product->roll_back(false, in(60)).status());
  product.shop.hit(1000);
  product.wait_until_applied();
  CHECK(contents_of(product.shop.published()) == kMany.contents(1000));
  swap_in(product, kFew.sql());
  wait_for_contents(product, kFew.contents(2000));
  end(product, kFew);
}

TEST_CASE_METHOD(Directory,
                 "rows that are kept nowhere cannot be handed over, and a view of them can") {
  const auto grouped = [](int slots) {
    return absl::StrCat(kPopularTable, "INSERT INTO popular SELECT n % ", slots,
                        ", count(*), max(n) FROM hits GROUP BY n % ", slots, ";\n");
  };
  const Popular forty{.slots = 40};
  ShopProduct product(path, kShortWindows + grouped(40));
  product.shop.hit(1000);
  settle(product, forty);
  const auto refused = product->start_replay({files_of(kShortWindows + grouped(30)), {}, {}});
  INFO(refused.status().ToString());
  CHECK(absl::IsFailedPrecondition(refused.status()));
  CHECK(absl::StrContains(refused.status().message(), "product.sql:14:1: INSERT INTO \"popular\""));
  CHECK(absl::StrContains(refused.status().message(), "make the SELECT a view"));
  CHECK(product->generations().size() == 1);

  swap_in(product, kLongWindows + grouped(40));  // not changed
  swap_in(product, kMany.sql());
  wait_for_contents(product, kMany.contents(1000));
  const absl::Status back = product->roll_back(false, in(60)).status();
  CHECK(absl::IsFailedPrecondition(back));
  CHECK(product.served()->id == 3);
  end(product, kMany);
}

TEST_CASE_METHOD(Directory, "a handover that fails is done again, and the order waits for it") {
  ShopProduct product(path, kMany.sql());
  product.shop.hit(1000);
  settle(product, kMany);
  product.wait_until_ready(product.replay(kFew.sql()));
  const size_t first = records(product);
  product.save_fails_in = 2;  // after the commit
  const absl::Status swapped = product->swap({}, in(60)).status();
  INFO(swapped.ToString());
  CHECK(absl::StrContains(swapped.message(), "generation 2 is live"));
  CHECK(product.served()->id == 2);
  check_difference(product, first, kMany, kFew);
  product.shop.hit(500);
  settle(product, kFew);  // nobody has asked for anything
  require_ok(product->roll_back(false, in(60)).status());
  end(product, kMany);
}

TEST_CASE("an output of Protobuf changes with the .proto files, one of JSON does not") {
  const auto compiled = [](const FileTexts& protos) {
    return sql::compile_product({{"product.sql", R"(
CREATE FOREIGN TABLE hits (page text, n bigint) SERVER log OPTIONS (format 'json');
CREATE FOREIGN TABLE one (page text, n bigint, PRIMARY KEY (page))
SERVER log OPTIONS (format 'json', mode 'upsert');
CREATE FOREIGN TABLE other (page text, n bigint, PRIMARY KEY (page))
SERVER log OPTIONS (format 'protobuf', proto 'a.proto', message 'A', mode 'upsert');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n FROM hits GROUP BY page;
INSERT INTO one SELECT page, n FROM pages;
INSERT INTO other SELECT page, n FROM pages;
)"}},
                                protos);
  };
  const auto proto = [](int number) {
    return FileTexts{{"a.proto", absl::StrCat("syntax = \"proto3\"; message A { string page = 1; "
                                              "int64 n = ",
                                              number, "; }")}};
  };
  const auto before = compiled(proto(2));
  const auto after = compiled(proto(3));
  INFO(sql::to_status(before.diagnostics).ToString());
  REQUIRE(before.ok());
  CHECK(changed_outputs({before.plan, proto(2)}, {after.plan, proto(2)}).empty());
  const auto changed = changed_outputs({before.plan, proto(2)}, {after.plan, proto(3)});
  REQUIRE(changed.size() == 1);
  CHECK(operators::sink_of(after.plan, changed[0].after).name == "other");
  CHECK(changed[0].before == changed[0].after);
}

TEST_CASE_METHOD(TwoGenerations, "only a leader that stands still takes outputs without a cause") {
  shop.open(first, true);
  shop.open(second, false);
  CHECK(absl::IsFailedPrecondition(first->add_outputs({}, in(60))));
  CHECK(absl::IsFailedPrecondition(second->add_outputs({}, in(60))));
  CHECK(absl::IsFailedPrecondition(first->standstill(in(60)).status()));
  const auto at = first->hold(in(60));
  require_ok(at.status());
  const operators::NodeId busy = first->plan().nodes.back().id;
  require_ok(first->add_outputs({{busy, "a", "one"}, {busy, "b", std::nullopt}}, in(60)));
  CHECK(first->standstill(in(60))->outbox_next == at->outbox_next + 2);
  require_ok(first->release(in(60)));
  require_ok(first->stop());
  CHECK(shop.published().numbers.size() == at->outbox_next + 2);
}

}  // namespace kappa::replay
