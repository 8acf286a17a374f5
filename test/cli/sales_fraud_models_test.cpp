#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "test/cli/handbook.h"
#include "test/cli/scratch.h"
#include "test/cli/served_sales_fraud.h"

// The training path of the data product sales_fraud, as its README has it, on the handbook's
// payments: models are trained on what the product exports, put in place, replayed and swapped in;
// and what they then say in the stream is as good as the published figures.
namespace kappa::cli {
namespace {

constexpr int64_t kDay = 86'400'000;           // milliseconds
constexpr int64_t kFirst = 1'529'280'000'000;  // 2018-06-18, 37 days before the training
constexpr int64_t kEnd = 1'534'982'400'000;    // 2018-08-23, when all reports of the test are in

// The payments from kFirst to kEnd, and the reports of frauds among them. How many records these
// are.
size_t import_days(const Scratch& scratch, const ServedSalesFraud& product) {
  std::ofstream payments(scratch.path("payments.ndjson"));
  std::ofstream reports(scratch.path("reports.ndjson"));
  size_t records = 0;
  for (const Transaction& row : read_handbook(handbook_file())) {
    if (row.time_ms < kFirst || row.time_ms >= kEnd) continue;
    payments << R"({"transaction_id": ")" << row.id << R"(", "event_time": )" << row.time_ms
             << R"(, "card_id": ")" << row.customer << R"(", "terminal_id": ")" << row.terminal
             << R"(", "amount": )" << row.cents / 100 << '.' << row.cents / 10 % 10
             << row.cents % 10 << "}\n";
    ++records;
    if (row.fraud == 0) continue;
    ++records;
    reports << R"({"transaction_id": ")" << row.id << R"(", "reported_at": )"
            << row.time_ms + 7 * kDay << "}\n";
  }
  payments.close();
  reports.close();
  product.run({"import", scratch.path("payments.ndjson"), "--topic", "transactions", "--create",
               "--partitions", "1", "--key", "card_id", "--timestamp", "event_time"});
  product.run({"import", scratch.path("reports.ndjson"), "--topic", "fraud-reports", "--create",
               "--partitions", "1", "--key", "transaction_id", "--timestamp", "reported_at"});
  return records;
}

// Waits until all records are applied, and what comes of them has left.
void wait_until_applied(const ServedSalesFraud& product, size_t records) {
  for (int i = 0; i < 6000; ++i) {
    const auto found = product.inspect();
    if (found.at("records") == records && found.at("outbox_pending") == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  FAIL("the payments were not applied in twenty minutes");
}

// Runs train.py; what it prints.
nlohmann::json train(const Scratch& scratch, const ServedSalesFraud& product,
                     const std::string& task, const std::string& model) {
  const std::string out = scratch.path("metrics.json");
  const std::string command = absl::StrCat(
      "python3 '", product.files(), "/train.py' ", task, " --kappa '" KAPPA_BINARY "' --data '",
      product.data(), "' --train 2018-07-25..2018-07-31 --test 2018-08-08..2018-08-14 --model ",
      model, " > '", out, "'");
  REQUIRE(std::system(command.c_str()) == 0);
  return nlohmann::json::parse(text_of_file(out));
}

void check_metrics(const nlohmann::json& found, double auc, double precision, double cards) {
  INFO(found.dump());
  CHECK(found["payments"] == 58'264);
  CHECK(found["frauds"] == 385);
  CHECK(std::abs(found["auc_roc"].get<double>() - auc) <= 0.01);
  CHECK(std::abs(found["average_precision"].get<double>() - precision) <= 0.01);
  CHECK(std::abs(found["card_precision_100"].get<double>() - cards) <= 0.01);
}

}  // namespace

TEST_CASE("models trained on what the product exports are as good in the stream as published") {
  if (handbook_file().empty()) return;
  if (std::system("command -v xgboost python3 > /dev/null") != 0) {
    WARN("xgboost or python3 is not there: skipped");
    return;
  }
  const Scratch scratch;
  ServedSalesFraud product(scratch);
  const size_t records = import_days(scratch, product);
  product.serve();
  wait_until_applied(product, records);
  const std::vector<std::string> alerts = product.alerts();
  CHECK(!alerts.empty());
  CHECK(std::adjacent_find(alerts.begin(), alerts.end()) == alerts.end());
  const std::string versions = "SELECT DISTINCT model_version FROM decisions";
  const std::vector<std::string> logistic_only = {"logistic-2018-07-31"};

  const nlohmann::json logistic = train(scratch, product, "train", "logistic");
  CHECK(logistic["train_payments"] == 67'240);
  CHECK(logistic["train_frauds"] == 598);
  product.run({"apply", product.files(), "--auto-approve"});
  check_metrics(train(scratch, product, "evaluate", "logistic"), .871, .606, .291);
  CHECK(product.query(versions) == logistic_only);

  train(scratch, product, "train", "xgboost");
  product.run({"apply", product.files(), "--auto-approve"});
  check_metrics(train(scratch, product, "evaluate", "xgboost"), .862, .639, .273);

  // History has been decided three times over, and each alert has left once.
  CHECK(product.alerts() == alerts);
  product.run({"replay", "rollback", "--yes"});
  CHECK(product.query(versions) == logistic_only);
  CHECK(product.alerts() == alerts);
}

}  // namespace kappa::cli
