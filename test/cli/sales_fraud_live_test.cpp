#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/cli/scratch.h"
#include "test/cli/served_sales_fraud.h"

// The data product sales_fraud while it runs: rules that come meanwhile, logic that changes, and
// input that nobody should have sent.
namespace kappa::cli {
namespace {

// Payments of some cards in one hour, some of them large, in a random order of times.
std::string payments(std::mt19937& random, int first, int count) {
  std::string lines;
  for (int n = first; n < first + count; ++n) {
    const int64_t time_ms = 1'790'000'000'000 + n * 700 + static_cast<int64_t>(random() % 3'000);
    absl::StrAppend(&lines, R"({"transaction_id": "t)", 100'000 + n, R"(", "event_time": )",
                    time_ms, R"(, "card_id": "card-)", random() % 9, R"(", "terminal_id": "till-)",
                    random() % 5, R"(", "country": ")", random() % 4 == 0 ? "FR" : "DE",
                    R"(", "amount": )", random() % 20 == 0 ? 800 : random() % 100, ".00}\n");
  }
  return lines;
}

// Appends payments and waits until they are decided.
void pay(const ServedSalesFraud& product, std::mt19937& random, int first, int count) {
  product.run({"produce", "transactions"}, payments(random, first, count));
  product.wait_for("SELECT count(*) FROM decisions", absl::StrCat(first + count));
}

// The transactions of [first, end) that are not simply approved, by the live logic.
std::vector<std::string> suspicious(const ServedSalesFraud& product, int first, int end) {
  return product.query(absl::StrCat(
      "SELECT transaction_id FROM decisions WHERE decision <> 'approve' AND transaction_id >= 't",
      100'000 + first, "' AND transaction_id < 't", 100'000 + end, "' ORDER BY transaction_id"));
}

// What logic `file` has becomes other: planned, replayed, compared, swapped in and taken back,
// while payments come before, between and after. Each alert leaves once, by the logic that was
// live.
void change_and_take_back(const ServedSalesFraud& product, uint32_t seed, const std::string& file,
                          const std::string& from, const std::string& to,
                          const std::string& column) {
  std::mt19937 random(seed);
  pay(product, random, 0, 400);
  std::vector<std::string> expected = suspicious(product, 0, 400);
  const std::string shown =
      absl::StrCat("SELECT transaction_id, ", column, " FROM decisions ORDER BY transaction_id");
  const std::vector<std::string> before = product.query(shown);

  product.change(file, from, to);
  const Ended plan = product.ask({"plan", product.files()});
  CHECK(plan.code == 2);
  CHECK(plan.out.find("~ view decisions") != std::string::npos);
  product.run({"replay", "start", product.files(), "--wait"});
  const Ended diff = product.ask({"replay", "diff"});
  CHECK(diff.code == 2);
  CHECK(diff.out.find("~ decisions") != std::string::npos);
  CHECK(diff.out.find(column) != std::string::npos);
  product.run({"replay", "swap", "--yes"});
  const std::vector<std::string> after = product.query(shown);
  CHECK(after.size() == before.size());
  CHECK(after != before);

  const auto expect = [&](int first, int end) {
    const auto more = suspicious(product, first, end);
    expected.insert(expected.end(), more.begin(), more.end());
  };
  pay(product, random, 400, 200);
  expect(400, 600);
  product.run({"replay", "rollback", "--yes"});
  pay(product, random, 600, 200);
  expect(600, 800);
  CHECK(expected.size() > 10);
  for (int i = 0; i < 600 && product.alerts().size() < expected.size(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(product.alerts() == expected);
}

}  // namespace

TEST_CASE("a rule applies from when it comes, and a replay decides as it was decided") {
  const Scratch scratch;
  ServedSalesFraud product(scratch);
  product.serve();
  std::mt19937 random(11);
  pay(product, random, 0, 300);
  product.run({"produce", "fraud-rules", "--key-separator", ":"},
              R"(french:{"rule_id": "french", "condition": "country = 'FR' AND amount > 50", )"
              R"("reason_code": "FRENCH", "weight": 0.5})"
              "\n");
  product.wait_for("SELECT count(*) FROM fraud_rules", "1");
  pay(product, random, 300, 300);
  // It is withdrawn again.
  product.run({"produce", "fraud-rules", "--json"}, R"({"key": "french", "value": null})"
                                                    "\n");
  product.wait_for("SELECT count(*) FROM fraud_rules", "0");
  pay(product, random, 600, 300);

  const auto matched = [&](const std::string& where) {
    return product.query("SELECT count(*) FROM decisions WHERE rule_ids = 'french'" + where)[0];
  };
  CHECK(matched(" AND (transaction_id < 't100300' OR transaction_id >= 't100600')") == "0");
  CHECK(matched("") == product.query("SELECT count(*) FROM payments WHERE country = 'FR' AND "
                                     "amount > 50 AND transaction_id >= 't100300' AND "
                                     "transaction_id < 't100600'")[0]);
  CHECK(matched("") != "0");

  const std::string decided =
      "SELECT transaction_id, score, decision, reason_codes, rule_ids, rule_weight, "
      "card_count_24h FROM decisions ORDER BY transaction_id";
  const std::vector<std::string> before = product.query(decided);
  CHECK(before.size() == 900);
  const auto checksum = product.inspect({"--checksum"}).at("checksum");
  product.run({"replay", "start", product.files(), "--recompute-all", "--wait"});
  product.run({"replay", "swap", "--yes", "--require-equal", "decisions,latest_by_card"});
  CHECK(product.query(decided) == before);
  CHECK(product.inspect({"--checksum"}).at("checksum") == checksum);
}

TEST_CASE(
    "a changed feature window is planned, replayed, swapped and taken back, each alert once") {
  const Scratch scratch;
  ServedSalesFraud product(scratch);
  product.serve();
  const std::string window =
      "card_5m AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE INTERVAL ";
  change_and_take_back(product, 12, "product.sql", window + "'5 minutes'", window + "'4 minutes'",
                       "card_count_5m");
}

TEST_CASE("a new model is planned, replayed, swapped and taken back, each alert once") {
  const Scratch scratch;
  ServedSalesFraud product(scratch);
  product.serve();
  // Payments of some 60 euro are then suspicious, too.
  change_and_take_back(product, 13, "models/fraud.json", "\"intercept\": -5", "\"intercept\": -1",
                       "score");
}

TEST_CASE("texts of a megabyte are taken as any others") {
  const Scratch scratch;
  ServedSalesFraud product(scratch);
  product.serve();
  const std::string card(1u << 20, 'c');
  const std::string line = absl::StrCat(
      R"({"transaction_id": "long", "event_time": 1790000000000, "amount": 5, "card_id": ")", card,
      R"(", "country": ")", card, "\"}\n");
  product.run({"produce", "transactions"}, line + line);
  product.wait_for("SELECT count(*) FROM decisions WHERE length(card_id) = 1048576", "1");
  CHECK(product.query("SELECT length(card_id), card_count_24h FROM decisions") ==
        std::vector<std::string>{"1048576\t1"});
  // A rule may be longer than its limit allows, and is then none.
  const std::string rule = absl::StrCat(R"(long:{"rule_id": "long", "condition": "card_id <> ')",
                                        std::string(20'000, 'x'), "'\"}\n");
  product.run({"produce", "fraud-rules", "--key-separator", ":"}, rule);
  product.wait_for("SELECT count(*) FROM fraud_rules", "1");
  product.run({"produce", "transactions"},
              R"({"transaction_id": "next", "event_time": 1790000001000, "amount": 5, )"
              R"("card_id": "c"})"
              "\n");
  product.wait_for("SELECT count(*) FROM decisions", "2");
  CHECK(product.query("SELECT count(*) FROM decisions WHERE rule_ids <> ''") ==
        std::vector<std::string>{"0"});
}

}  // namespace kappa::cli
