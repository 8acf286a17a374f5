// Replays, swaps and rollbacks of the binary over a real broker, while sales arrive.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/kafka/broker.h"
#include "test/kafka/sales_load.h"

namespace kappa::cli {
namespace {

using nlohmann::json;
using test::Sale;
using test::SalesLoad;
using Words = std::vector<std::string>;

// What the two logics differ in.
struct Logic {
  int64_t amount_min;      // of sales that leave as big ones
  int64_t window_seconds;  // of counts that leave once they are final
};
constexpr Logic kFormer{900, 2};
constexpr Logic kLater{500, 5};

// Around a change of the logic this many sales in a row may have been judged by either.
constexpr int64_t kUnsure = 12;

// The product in its two versions, on topics of its own.
class Shop {
 public:
  Shop() : name_(test::unique_name("shop")), address_(test::shared_broker()) {
    write("former", kFormer, "");
    write("later", kLater, "");
  }

  std::string topic(const std::string& what) const { return absl::StrCat(name_, "-", what); }
  std::string product(const std::string& version) const {
    return scratch_.path(absl::StrCat(version, "/", name_));
  }
  // What the later version reads besides.
  void write_later(const std::string& more) { write("later", kLater, more); }

  void serve(const std::string& failpoint = "") {
    std::map<std::string, std::string> environment;
    if (!failpoint.empty()) environment["KAPPA_FAIL_AT"] = failpoint;
    process_ = std::make_unique<Process>(
        scratch_.directory(),
        Words{"serve", "--output", "json", "--data", data(), "--product", product("former"),
              "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--partitions", "2",
              "--checkpoint-interval-ms", "100", "--log", absl::StrCat("kafka://", address_)},
        "", environment);
    if (!process_->wait_for_output("\n")) FAIL(process_->wait().err);
  }
  Process& process() { return *process_; }
  void stop() {
    process_->signal(SIGTERM);
    const Ended ended = process_->wait();
    INFO(ended.err);
    CHECK(ended.code == 0);
  }

  Ended run(Words words) const {
    words.insert(words.end(), {"--data", data()});
    return kappa(words);
  }
  // The first column, `n`, of the answer's only row; 0 if there is none yet.
  int64_t number(const std::string& sql) const {
    const Ended ended = run({"query", sql, "--output", "json"});
    INFO(ended.out << ended.err);
    REQUIRE(ended.code == 0);
    const json rows = json::parse(ended.out)["rows"];
    if (rows.empty() || rows[0]["n"].is_null()) return 0;
    return rows[0]["n"].get<int64_t>();
  }
  std::string state(uint32_t generation) const {
    const Ended ended = run({"replay", "status", "--output", "json"});
    INFO(ended.err);
    REQUIRE(ended.code == 0);
    const json status = json::parse(ended.out);
    for (const json& one : status["generations"]) {
      if (one["generation"] == generation) return one["state"];
    }
    return "gone";
  }
  void start_replay(uint32_t generation) const {
    const Ended started = run({"replay", "start", product("later")});
    INFO(started.err);
    REQUIRE(started.code == 0);
    wait_until([&] { return state(generation) == "ready"; });
  }
  void require_done(const Words& words) const {
    const Ended ended = run(words);
    INFO(ended.out << ended.err);
    REQUIRE(ended.code == 0);
  }

  // Until the live generation has applied all sales that have been sent by now.
  void wait_until_applied(const SalesLoad& load) const {
    const int64_t sent = load.sent();
    wait_until([&] { return number("SELECT n FROM totals") >= sent; });
  }
  static void wait_for_sales(const SalesLoad& load, int64_t more) {
    const int64_t sent = load.sent();
    wait_until([&] { return load.sent() >= sent + more; });
  }
  template <typename Condition>
  static void wait_until(Condition holds) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > give_up) FAIL("not within a minute");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  // What a reader with read_committed finds, header by header and value by value.
  std::vector<std::string> published(const std::string& what, const std::string& format) const {
    return test::committed_records(address_, topic(what), format);
  }
  const std::string& broker() const { return address_; }

 private:
  std::string data() const { return scratch_.path("data"); }

  void write(const std::string& version, const Logic& logic, const std::string& more) const {
    const auto server = [this](const std::string& what) {
      return absl::StrCat("SERVER log OPTIONS (topic '", topic(what), "', format 'json'");
    };
    scratch_.file(
        absl::StrCat(version, "/", name_, "/product.sql"),
        absl::StrCat(
            "CREATE FOREIGN TABLE sales (card text, n bigint, amount bigint, ts timestamptz)\n",
            server("sales"), ", event_time 'ts', out_of_orderness '1 second');\n",
            "CREATE FOREIGN TABLE big (n bigint, amount bigint)\n", server("big"), ");\n",
            "CREATE FOREIGN TABLE busy (card text, n bigint, from_us bigint, seconds bigint)\n",
            server("busy"), ");\n",
            "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM sales;\n"
            "CREATE MATERIALIZED VIEW windows WITH (emit = 'final') AS\n"
            "SELECT window_start, card, count(*) AS n FROM tumble(sales, ts, INTERVAL '",
            logic.window_seconds, " seconds') GROUP BY window_start, card;\n",
            "INSERT INTO big SELECT n, amount FROM sales WHERE amount >= ", logic.amount_min, ";\n",
            "INSERT INTO busy SELECT card, n,\n"
            "  CAST(extract(epoch FROM window_start) * 1000000 AS bigint), ",
            logic.window_seconds, " FROM windows;\n", more));
  }

  const Scratch scratch_;
  const std::string name_;
  const std::string address_;
  std::unique_ptr<Process> process_;
};

// Every number once, from 0 on, over all topics that the product writes to.
void check_exactly_once(const Shop& shop, const Words& topics) {
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
Reigns check_big(const Shop& shop, int64_t sales, size_t changes) {
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
void check_busy(const Shop& shop, int64_t sales, const Reigns& reigns) {
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

void check_outputs(const Shop& shop, int64_t sales, size_t changes) {
  check_exactly_once(shop, {"big", "busy"});
  const Reigns reigns = check_big(shop, sales, changes);
  check_busy(shop, sales, reigns);
}

}  // namespace

TEST_CASE("over Kafka a product is replayed, compared, swapped and rolled back, and once is once") {
  KAPPA_NEED_KAFKA();
  Shop shop;
  shop.serve();
  SalesLoad load(shop.broker(), shop.topic("sales"));
  Shop::wait_for_sales(load, 1'500);
  shop.wait_until_applied(load);

  shop.start_replay(2);
  const Ended diff = shop.run({"replay", "diff", "--output", "json"});
  INFO(diff.err);
  CHECK(diff.code == 2);
  for (const json& view : json::parse(diff.out)["views"]) {
    const bool windows = view["view"] == "windows";
    CHECK(view["equal"] == !windows);
  }
  CHECK(shop.run({"replay", "diff", "--require-equal", "totals"}).code == 0);

  const auto go_on = [&] {
    Shop::wait_for_sales(load, 800);
    shop.wait_until_applied(load);
  };
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
  Shop shop;
  shop.serve("swap.taken_over");
  SalesLoad load(shop.broker(), shop.topic("sales"));
  const auto go_on = [&] {
    Shop::wait_for_sales(load, 800);
    shop.wait_until_applied(load);
  };
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
  Shop shop;
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
  const auto go_on = [&] {
    Shop::wait_for_sales(load, 400);
    shop.wait_until_applied(load);
  };
  const auto wait_for_refunds = [&] {
    Shop::wait_until([&] { return shop.number("SELECT n FROM refunded") == refunds; });
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
