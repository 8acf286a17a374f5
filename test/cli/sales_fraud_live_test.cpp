#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

// The data product sales_fraud while it runs: rules that come meanwhile, logic that changes, and
// input that nobody should have sent.
namespace kappa::cli {
namespace {

// A served copy of the product, whose files may change.
class Product {
 public:
  explicit Product(const Scratch& scratch)
      : scratch_(scratch), data_(scratch.path("data")), files_(scratch.path("sales_fraud")) {
    std::filesystem::copy(KAPPA_SOURCE_DIR "/schemas/sales_fraud", files_,
                          std::filesystem::copy_options::recursive);
    serve_ = std::make_unique<Process>(
        scratch.directory(),
        std::vector<std::string>{"serve", "--data", data_, "--product", files_, "--partitions", "1",
                                 "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
    REQUIRE(serve_->wait_for_output("gRPC"));
  }

  Ended produce(const std::string& topic, const std::string& lines,
                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"produce", topic, "--data", data_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return kappa(arguments, lines);
  }
  // The rows of a query, without its header.
  std::vector<std::string> query(const std::string& sql) const {
    const Ended ended = kappa({"query", sql, "--data", data_});
    INFO(ended.err);
    REQUIRE(ended.code == 0);
    std::vector<std::string> rows = absl::StrSplit(ended.out, '\n', absl::SkipEmpty());
    rows.erase(rows.begin());
    return rows;
  }
  void wait_for(const std::string& sql, const std::string& answer) const {
    for (int i = 0; i < 600; ++i) {
      if (query(sql) == std::vector{answer}) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL(sql << " did not become " << answer << " in a minute");
  }
  // Of the canonical dump of all state.
  std::string checksum() const {
    const Ended ended = kappa({"inspect", "--checksum", "--data", data_, "--output", "json"});
    REQUIRE(ended.code == 0);
    return nlohmann::json::parse(ended.out).at("products").at(0).at("checksum");
  }
  // Everything that was decided, in the order of transactions.
  std::vector<std::string> decisions() const {
    return query(
        "SELECT transaction_id, score, decision, reason_codes, rule_ids, rule_weight, "
        "card_count_24h FROM decisions ORDER BY transaction_id");
  }
  // The transactions of the alerts that have left, once there are so many.
  std::vector<std::string> alerts(size_t count) const {
    for (int i = 0; i < 600; ++i) {
      const Ended ended = kappa({"consume", "fraud-alerts", "--data", data_});
      REQUIRE(ended.code == 0);
      std::vector<std::string> found;
      for (const auto line : absl::StrSplit(ended.out, '\n', absl::SkipEmpty())) {
        found.push_back(nlohmann::json::parse(line).at("transaction_id").get<std::string>());
      }
      if (found.size() >= count) return found;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL("there are no " << count << " alerts after a minute");
    return {};
  }
  // The product's SQL with one text in the place of another.
  void change(const std::string& from, const std::string& to) const {
    const std::string path = files_ + "/product.sql";
    const std::string sql = text_of_file(path);
    const std::string changed = absl::StrReplaceAll(sql, {{from, to}});
    REQUIRE(changed != sql);
    std::ofstream(path) << changed;
  }
  void run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", data_});
    const Ended ended = kappa(arguments);
    INFO(ended.err);
    REQUIRE(ended.code == 0);
  }
  Ended plan() const { return kappa({"plan", files_, "--data", data_}); }
  const std::string& files() const { return files_; }

 private:
  const Scratch& scratch_;
  const std::string data_;
  const std::string files_;
  std::unique_ptr<Process> serve_;
};

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

}  // namespace

TEST_CASE("a rule applies from when it comes, and a replay decides as it was decided") {
  const Scratch scratch;
  const Product product(scratch);
  std::mt19937 random(11);
  REQUIRE(product.produce("transactions", payments(random, 0, 300)).code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "300");
  REQUIRE(
      product
          .produce("fraud-rules",
                   R"(french:{"rule_id": "french", "condition": "country = 'FR' AND amount > 50", )"
                   R"("reason_code": "FRENCH", "weight": 0.5})"
                   "\n",
                   {"--key-separator", ":"})
          .code == 0);
  product.wait_for("SELECT count(*) FROM fraud_rules", "1");
  REQUIRE(product.produce("transactions", payments(random, 300, 300)).code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "600");
  // It is withdrawn again.
  const std::string withdrawn = R"({"key": "french", "value": null})";
  REQUIRE(product.produce("fraud-rules", withdrawn + "\n", {"--json"}).code == 0);
  product.wait_for("SELECT count(*) FROM fraud_rules", "0");
  REQUIRE(product.produce("transactions", payments(random, 600, 300)).code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "900");

  const auto matched = [&](const std::string& where) {
    return product.query("SELECT count(*) FROM decisions WHERE rule_ids = 'french'" + where)[0];
  };
  CHECK(matched(" AND (transaction_id < 't100300' OR transaction_id >= 't100600')") == "0");
  CHECK(matched("") == product.query("SELECT count(*) FROM payments WHERE country = 'FR' AND "
                                     "amount > 50 AND transaction_id >= 't100300' AND "
                                     "transaction_id < 't100600'")[0]);
  CHECK(matched("") != "0");

  const std::vector<std::string> before = product.decisions();
  const std::string checksum = product.checksum();
  product.run({"replay", "start", product.files(), "--recompute-all", "--wait"});
  product.run({"replay", "swap", "--yes", "--require-equal", "decisions,latest_by_card"});
  CHECK(product.decisions() == before);
  CHECK(product.query("SELECT count(*) FROM decisions")[0] == "900");
  CHECK(product.checksum() == checksum);
}

TEST_CASE(
    "a changed feature window is planned, replayed, swapped and taken back, each alert once") {
  const Scratch scratch;
  const Product product(scratch);
  std::mt19937 random(12);
  REQUIRE(product.produce("transactions", payments(random, 0, 400)).code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "400");
  const std::vector<std::string> before =
      product.query("SELECT transaction_id, card_count_5m FROM decisions ORDER BY transaction_id");

  product.change(
      "card_5m AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE "
      "INTERVAL '5 minutes'",
      "card_5m AS (PARTITION BY payment.card_id ORDER BY payment.event_time RANGE "
      "INTERVAL '4 minutes'");
  const Ended plan = product.plan();
  CHECK(plan.code == 2);
  CHECK(plan.out.find("~ view decisions") != std::string::npos);
  product.run({"replay", "start", product.files(), "--wait"});
  product.run({"replay", "swap", "--yes"});
  const std::vector<std::string> changed =
      product.query("SELECT transaction_id, card_count_5m FROM decisions ORDER BY transaction_id");
  CHECK(changed.size() == before.size());
  CHECK(changed != before);

  REQUIRE(product.produce("transactions", payments(random, 400, 200)).code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "600");
  product.run({"replay", "rollback", "--yes"});
  REQUIRE(product.produce("transactions", payments(random, 600, 200)).code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "800");
  // The scores do not depend on that window, so what should have left is what a query finds.
  const std::vector<std::string> expected = product.query(
      "SELECT transaction_id FROM decisions WHERE decision <> 'approve' ORDER BY transaction_id");
  CHECK(expected.size() > 10);
  std::vector<std::string> alerts = product.alerts(expected.size());
  std::sort(alerts.begin(), alerts.end());
  CHECK(alerts == expected);
}

TEST_CASE("texts of a megabyte are taken as any others") {
  const Scratch scratch;
  const Product product(scratch);
  const std::string card(1u << 20, 'c');
  const std::string line = absl::StrCat(
      R"({"transaction_id": "long", "event_time": 1790000000000, "amount": 5, "card_id": ")", card,
      R"(", "country": ")", card, "\"}\n");
  REQUIRE(product.produce("transactions", line + line).code == 0);
  product.wait_for("SELECT count(*) FROM decisions WHERE length(card_id) = 1048576", "1");
  CHECK(product.query("SELECT length(card_id), card_count_24h FROM decisions") ==
        std::vector<std::string>{"1048576\t1"});
  // A rule may be longer than its limit allows, and is then none.
  const std::string rule = absl::StrCat(R"(long:{"rule_id": "long", "condition": "card_id <> ')",
                                        std::string(20'000, 'x'), "'\"}\n");
  REQUIRE(product.produce("fraud-rules", rule, {"--key-separator", ":"}).code == 0);
  product.wait_for("SELECT count(*) FROM fraud_rules", "1");
  REQUIRE(product
              .produce("transactions", R"({"transaction_id": "next", "event_time": 1790000001000, )"
                                       R"("amount": 5, "card_id": "c"})"
                                       "\n")
              .code == 0);
  product.wait_for("SELECT count(*) FROM decisions", "2");
  CHECK(product.query("SELECT count(*) FROM decisions WHERE rule_ids <> ''") ==
        std::vector<std::string>{"0"});
}

}  // namespace kappa::cli
