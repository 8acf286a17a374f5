// Replays, swaps and rollbacks of the binary over a real broker, while sales arrive.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "test/kafka/broker.h"
#include "test/kafka/replayed_shop.h"
#include "test/kafka/sales_load.h"

namespace kappa::cli {
namespace {

using nlohmann::json;
using test::Sale;
using test::SalesLoad;

// Around a change of the logic this many sales in a row may have been judged by either.
constexpr int64_t kUnsure = 12;

// Every number once, from 0 on, over all topics that the product writes to.
void check_exactly_once(const ReplayedShop& shop, const std::vector<std::string>& topics) {
  std::map<uint64_t, int> times;
  for (const std::string& topic : topics) {
    for (const std::string& headers : shop.published(topic, "%h")) {
      const size_t at = headers.find("kappa-outbox=");
      REQUIRE(at != std::string::npos);
      const std::string number = headers.substr(headers.find('/', at) + 1);
      uint64_t value = 0;
      REQUIRE(absl::SimpleAtoi(number.substr(0, number.find(',')), &value));
      ++times[value];
    }
  }
  uint64_t next = 0;
  for (const auto& [number, count] : times) {
    if (number != next || count != 1) {
      FAIL("of " << times.size() << " outputs " << next << " is missing, or " << number << " is "
                 << count << " times there");
    }
    ++next;
  }
  CHECK(next > 0);
}

// When which logic was live, for each partition, as the middling sales say: those leave under the
// later logic only.
class Reigns {
 public:
  Reigns(const std::multiset<int64_t>& left, int64_t sales) {
    for (int64_t n = 0; n < sales; ++n) {
      const bool middling =
          Sale::amount(n) >= kLater.amount_min && Sale::amount(n) < kFormer.amount_min;
      std::vector<int64_t>& changes = changes_[Sale::partition(n)];
      if (middling && left.contains(n) != (changes.size() % 2 == 1)) changes.push_back(n);
    }
  }

  size_t changes(int partition) const { return changes_[partition].size(); }
  // How many changes the sale, or whatever it causes, comes behind; nullopt: it is close to one.
  std::optional<size_t> of(int64_t n) const {
    size_t behind = 0;
    for (const int64_t change : changes_[Sale::partition(n)]) {
      if (n > change - kUnsure && n < change + kUnsure) return std::nullopt;
      behind += n >= change;
    }
    return behind;
  }
  static const Logic& logic(size_t reign) { return reign % 2 == 1 ? kLater : kFormer; }

 private:
  std::vector<int64_t> changes_[2];
};

// Big sales leave under either logic, small ones never.
Reigns check_big(const ReplayedShop& shop, int64_t sales, size_t changes) {
  std::multiset<int64_t> left;
  for (const std::string& value : shop.published("big", "%s")) {
    left.insert(json::parse(value)["n"].get<int64_t>());
  }
  size_t wrong = 0;
  for (int64_t n = 0; n < sales; ++n) {
    const size_t times = left.count(n);
    if (Sale::amount(n) >= kFormer.amount_min) wrong += times != 1;
    if (Sale::amount(n) < kLater.amount_min) wrong += times != 0;
    wrong += times > 1;
  }
  CHECK(wrong == 0);
  Reigns reigns(left, sales);
  CHECK(reigns.changes(0) == changes);
  CHECK(reigns.changes(1) == changes);
  return reigns;
}

struct Window {
  std::string card;
  int64_t start_ms;
  int64_t seconds;
  auto operator<=>(const Window&) const = default;
};

// What all sales of a window are, by card.
std::map<Window, int64_t> naive_windows(int64_t sales, int64_t seconds) {
  std::map<Window, int64_t> counts;
  for (int64_t n = 0; n < sales; ++n) {
    const int64_t time_ms = Sale::time_ms(n);
    ++counts[{Sale::card(n), time_ms - time_ms % (seconds * 1000), seconds}];
  }
  return counts;
}

// The reign in which a window closes: once both partitions are a second beyond its end. nullopt:
// close to a change, or not at all.
std::optional<size_t> closes_in(const Window& window, const Reigns& reigns, int64_t sales) {
  const int64_t end_ms = window.start_ms + (window.seconds + 1) * 1000;
  const int64_t n = (end_ms - Sale::time_ms(0)) / 10;
  if (n + kUnsure >= sales) return std::nullopt;
  const auto even = reigns.of(n - n % 2);
  const auto odd = reigns.of(n - n % 2 + 1);
  return even == odd ? even : std::nullopt;
}

// Whatever window has left is of all its sales, those before the swap too, and has left once; and
// those that close while their logic is live have.
void check_busy(const ReplayedShop& shop, int64_t sales, const Reigns& reigns) {
  std::map<Window, int64_t> left;
  for (const std::string& value : shop.published("busy", "%s")) {
    const json row = json::parse(value);
    const Window window{row["card"], row["from_us"].get<int64_t>() / 1000, row["seconds"]};
    if (!left.emplace(window, row["n"].get<int64_t>()).second) FAIL_CHECK("twice: " << value);
  }
  size_t closed = 0;
  size_t wrong = 0;
  size_t known = 0;
  for (const Logic& logic : {kFormer, kLater}) {
    for (const auto& [window, count] : naive_windows(sales, logic.window_seconds)) {
      const auto found = left.find(window);
      known += found != left.end();
      wrong += found != left.end() && found->second != count;
      const auto reign = closes_in(window, reigns, sales);
      if (!reign) continue;
      const bool lives = Reigns::logic(*reign).window_seconds == window.seconds;
      wrong += (found != left.end()) != lives;
      closed += lives;
    }
  }
  CHECK(wrong == 0);
  CHECK(known == left.size());
  CHECK(closed > 10);
}

void check_outputs(const ReplayedShop& shop, int64_t sales, size_t changes) {
  check_exactly_once(shop, {"big", "busy"});
  const Reigns reigns = check_big(shop, sales, changes);
  check_busy(shop, sales, reigns);
}

}  // namespace

TEST_CASE("over Kafka a product is replayed, compared, swapped and rolled back, and once is once") {
  KAPPA_NEED_KAFKA();
  ReplayedShop shop;
  shop.serve();
  SalesLoad load(shop.broker(), shop.topic("sales"));
  shop.wait_for_sales(load, 1'500);

  shop.start_replay(2);
  const Ended diff = shop.run({"replay", "diff", "--output", "json"});
  INFO(diff.err);
  CHECK(diff.code == 2);
  for (const json& view : json::parse(diff.out)["views"]) {
    const bool windows = view["view"] == "windows";
    CHECK(view["equal"] == !windows);
  }
  CHECK(shop.run({"replay", "diff", "--require-equal", "totals"}).code == 0);

  const auto go_on = [&] { shop.wait_for_sales(load, 800); };
  shop.require_done({"replay", "swap", "--keep-following", "--yes"});
  CHECK(shop.state(2) == "live");
  CHECK(shop.state(1) == "retired");
  go_on();
  shop.require_done({"replay", "rollback", "--yes"});
  CHECK(shop.state(1) == "live");
  go_on();
  // It does not follow any longer, and has to catch up.
  shop.require_done({"replay", "rollback", "--yes"});
  CHECK(shop.state(2) == "live");
  go_on();
  load.stop();
  CHECK(load.failure().empty());
  shop.wait_until_applied(load);
  shop.stop();
  check_outputs(shop, load.sent(), 3);
}

TEST_CASE("killed in the midst of a swap over Kafka, one generation leads, and once is once") {
  KAPPA_NEED_KAFKA();
  ReplayedShop shop;
  shop.serve("swap.taken_over");
  SalesLoad load(shop.broker(), shop.topic("sales"));
  const auto go_on = [&] { shop.wait_for_sales(load, 800); };
  const auto swap_and_die = [&] {
    CHECK(shop.run({"replay", "swap", "--yes"}).code == 1);
    const Ended died = shop.process().wait();
    INFO(died.err);
    CHECK(died.code == -1);
    CHECK(absl::StrContains(died.err, "dying at swap."));
  };
  go_on();
  shop.start_replay(2);
  go_on();
  swap_and_die();

  // Nothing was written down: the former one goes on.
  shop.serve("swap.committed");
  CHECK(shop.state(1) == "live");
  CHECK(shop.state(2) == "ready");
  go_on();
  swap_and_die();

  shop.serve("swap.committed");
  CHECK(shop.state(1) == "retired");
  CHECK(shop.state(2) == "live");
  go_on();
  CHECK(shop.run({"replay", "rollback", "--yes"}).code == 1);
  CHECK(shop.process().wait().code == -1);

  shop.serve();
  CHECK(shop.state(1) == "live");
  go_on();
  load.stop();
  CHECK(load.failure().empty());
  shop.wait_until_applied(load);
  shop.stop();
  check_outputs(shop, load.sent(), 2);
}

TEST_CASE("over Kafka a replay may read a topic that the live logic does not") {
  KAPPA_NEED_KAFKA();
  ReplayedShop shop;
  const std::string topic = shop.topic("refunds");
  shop.write_later(absl::StrCat(
      "CREATE FOREIGN TABLE refunds (n bigint) SERVER log OPTIONS (topic '", topic,
      "', format 'json');\n",
      "CREATE FOREIGN TABLE returned (n bigint) SERVER log OPTIONS (topic '",
      shop.topic("returned"), "', format 'json');\n",
      "CREATE MATERIALIZED VIEW refunded AS SELECT count(*) AS n, sum(n) AS total FROM refunds;\n"
      "INSERT INTO returned SELECT n FROM refunds;\n"));
  test::create_topic(shop.broker(), topic, 1);
  int64_t refunds = 0;
  const auto refund = [&](int count) {
    std::string lines;
    for (const int64_t end = refunds + count; refunds < end; ++refunds) {
      absl::StrAppend(&lines, R"({"n":)", refunds, "}\n");
    }
    test::kcat(shop.broker(), {"-P", "-t", topic}, lines);
  };
  refund(100);
  shop.serve();
  SalesLoad load(shop.broker(), shop.topic("sales"));
  const auto go_on = [&] { shop.wait_for_sales(load, 400); };
  const auto wait_for_refunds = [&] {
    ReplayedShop::wait_until([&] { return shop.number("SELECT n FROM refunded") == refunds; });
  };
  go_on();
  shop.start_replay(2);
  refund(100);
  go_on();
  shop.require_done({"replay", "swap", "--yes"});
  wait_for_refunds();
  const int64_t before = refunds;
  refund(100);
  wait_for_refunds();
  const int64_t published = refunds;
  go_on();
  // The former logic does not read them, but they are in the order all the same.
  shop.require_done({"replay", "rollback", "--yes"});
  refund(100);
  go_on();
  shop.require_done({"replay", "rollback", "--yes"});
  wait_for_refunds();
  go_on();
  load.stop();
  shop.wait_until_applied(load);
  CHECK(shop.number("SELECT CAST(total AS bigint) AS n FROM refunded") ==
        refunds * (refunds - 1) / 2);
  shop.stop();
  check_exactly_once(shop, {"big", "busy", "returned"});
  const Reigns reigns = check_big(shop, load.sent(), 3);
  check_busy(shop, load.sent(), reigns);
  std::multiset<int64_t> returned;
  for (const std::string& value : shop.published("returned", "%s")) {
    returned.insert(json::parse(value)["n"].get<int64_t>());
  }
  for (int64_t n = before; n < published; ++n) CHECK(returned.count(n) == 1);
  for (int64_t n = 0; n < 100; ++n) CHECK(returned.count(n) == 0);
}

}  // namespace kappa::cli
