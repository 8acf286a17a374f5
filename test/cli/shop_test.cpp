#include "engine/cli/playground/shop.h"

#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/log/log.h"
#include "engine/types/datetime.h"
#include "test/cli/scratch.h"

namespace kappa::cli::playground {
namespace {

constexpr int64_t kStartUs = 1'714'557'600'000'000;

class ShopTest {
 public:
  explicit ShopTest(uint64_t seed = 1) : schedule_(*Schedule::open(scratch_.path("s.json"), seed)) {
    REQUIRE(schedule_.begin_run(EventTime{kStartUs}, 2000, ByPartition{}).ok());
    shop = std::make_unique<Shop>(schedule_);
  }
  nlohmann::json sale(int32_t partition, int64_t offset) const {
    return nlohmann::json::parse(shop->sale(partition, offset).value);
  }
  const Schedule& schedule() const { return schedule_; }
  std::unique_ptr<Shop> shop;

 private:
  Scratch scratch_;
  Schedule schedule_;
};

}  // namespace

TEST_CASE("the shop's records are a function of the seed") {
  const ShopTest a(3);
  const ShopTest b(3);
  const ShopTest other(4);
  int differing = 0;
  for (int64_t offset = 0; offset < 200; ++offset) {
    for (const Topic topic : kTopics) {
      const ShopRecord record = a.shop->record(topic, 2, offset);
      CHECK(record.key == b.shop->record(topic, 2, offset).key);
      CHECK(record.value == b.shop->record(topic, 2, offset).value);
      if (record.value != other.shop->record(topic, 2, offset).value) ++differing;
    }
  }
  CHECK(differing > 1390);
}

TEST_CASE("a record lies in the partition that its key picks") {
  const ShopTest test;
  for (int32_t partition = 0; partition < kPartitions; ++partition) {
    for (int64_t offset = 0; offset < 500; ++offset) {
      for (const Topic topic : kTopics) {
        const ShopRecord record = test.shop->record(topic, partition, offset);
        CHECK(log::partition_for_key(record.key, kPartitions) == partition);
      }
    }
  }
}

TEST_CASE("some records come twice, some late, and none from the future") {
  const ShopTest test;
  std::set<std::string> ids;
  int repeated = 0;
  int late = 0;
  int very_late = 0;
  const int64_t count = 20'000;
  for (int64_t offset = 0; offset < count; ++offset) {
    const nlohmann::json sale = test.sale(0, offset);
    if (!ids.insert(sale["transaction_id"]).second) {
      ++repeated;
      continue;
    }
    const int64_t event_us = *parse_timestamp(sale["event_time"].get<std::string>());
    const int64_t delay_us = test.schedule().arrival(kSales, 0, offset).us - event_us;
    CHECK(delay_us >= 0);
    if (delay_us > 400'000) ++late;
    if (delay_us > 60'000'000) ++very_late;
  }
  CHECK(repeated > 50);
  CHECK(repeated < 200);
  CHECK(late > 400);
  CHECK(late < 900);
  CHECK(very_late > 5);
}

TEST_CASE("customers are picked by Zipf's law: a few often, most seldom") {
  const ShopTest test;
  std::map<std::string, int> products;
  std::map<std::string, int> cards;
  for (int64_t offset = 0; offset < 20'000; ++offset) {
    const nlohmann::json sale = test.sale(1, offset);
    ++products[sale["product_id"]];
    ++cards[sale["card_id"]];
  }
  CHECK(products["product-000"] > 10 * products["product-100"]);
  CHECK(cards.size() > 5'000);
}

TEST_CASE("frauds of every kind are hidden among the sales") {
  const ShopTest test;
  std::map<Shop::Fraud, std::map<std::string, std::vector<nlohmann::json>>> frauds;
  for (int64_t offset = 0; offset < 60'000; ++offset) {
    const Shop::Fraud fraud = test.shop->fraud_at(0, offset);
    if (fraud == Shop::Fraud::kNone) continue;
    const nlohmann::json sale = test.sale(0, offset);
    frauds[fraud][sale["card_id"]].push_back(sale);
  }
  REQUIRE(frauds.size() == 3);
  // A sale of an incident may be replaced by one that comes twice.
  for (const auto& [card, sales] : frauds[Shop::Fraud::kMicroAmounts]) {
    CHECK(sales.size() >= 10);
    for (const auto& sale : sales) CHECK(sale["amount"].get<double>() < 1.0);
  }
  for (const auto& [card, sales] : frauds[Shop::Fraud::kBurst]) CHECK(sales.size() >= 17);
  for (const auto& [card, sales] : frauds[Shop::Fraud::kTravel]) {
    std::set<std::string> cities;
    for (const auto& sale : sales) cities.insert(sale["city"].get<std::string>());
    CHECK(cities.size() == 2);
  }
}

TEST_CASE("an honest card is seen in one city only") {
  const ShopTest test;
  std::map<std::string, std::set<std::string>> cities;
  for (int64_t offset = 0; offset < 20'000; ++offset) {
    if (test.shop->fraud_at(3, offset) == Shop::Fraud::kTravel) continue;
    const nlohmann::json sale = test.sale(3, offset);
    if (!sale["city"].is_null()) cities[sale["card_id"]].insert(sale["city"].get<std::string>());
  }
  for (const auto& [card, seen] : cities) CHECK(seen.size() == 1);
}

}  // namespace kappa::cli::playground
