#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "test/cli/handbook.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

// The training path of the data product sales_fraud, as its README has it, on the handbook's
// payments: models are trained on what the product exports, put in place, replayed and swapped in;
// and what they then say in the stream is as good as the published figures.
namespace kappa::cli {
namespace {

constexpr int64_t kDay = 86'400'000;           // milliseconds
constexpr int64_t kFirst = 1'529'280'000'000;  // 2018-06-18, 37 days before the training
constexpr int64_t kEnd = 1'534'982'400'000;    // 2018-08-23, when all reports of the test are in

void run(const std::vector<std::string>& arguments) {
  const Ended ended = kappa(arguments);
  INFO(ended.err);
  REQUIRE(ended.code == 0);
}

// The payments from kFirst to kEnd, and the reports of frauds among them, in a new data directory.
// How many records these are.
size_t import_days(const Scratch& scratch, const std::string& data) {
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
  std::filesystem::create_directories(data);
  run({"import", scratch.path("payments.ndjson"), "--topic", "transactions", "--create",
       "--partitions", "1", "--key", "card_id", "--timestamp", "event_time", "--data", data});
  run({"import", scratch.path("reports.ndjson"), "--topic", "fraud-reports", "--create",
       "--partitions", "1", "--key", "transaction_id", "--timestamp", "reported_at", "--data",
       data});
  for (const char* topic : {"fraud-rules", "sale-lines", "fraud-alerts"}) {
    run({"topics", "--create", topic, "--partitions", "1", "--data", data});
  }
  return records;
}

// A served copy of the product whose files may change.
class Product {
 public:
  explicit Product(const Scratch& scratch)
      : scratch_(scratch), data_(scratch.path("data")), files_(scratch.path("sales_fraud")) {
    std::filesystem::copy(KAPPA_SOURCE_DIR "/schemas/sales_fraud", files_,
                          std::filesystem::copy_options::recursive);
    records_ = import_days(scratch, data_);
    serve_ = std::make_unique<Process>(
        scratch.directory(),
        std::vector<std::string>{"serve", "--data", data_, "--product", files_, "--listen",
                                 "127.0.0.1:0", "--http", "127.0.0.1:0"});
    REQUIRE(serve_->wait_for_output("gRPC"));
  }

  // All is applied, and what comes of it has left.
  void wait_until_applied() const {
    for (int i = 0; i < 6000; ++i) {
      const Ended shown = kappa({"inspect", "--data", data_, "--output", "json"});
      REQUIRE(shown.code == 0);
      const auto found = nlohmann::json::parse(shown.out).at("products").at(0);
      if (found.at("records") == records_ && found.at("outbox_pending") == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    FAIL("the payments were not applied in twenty minutes");
  }
  // Runs train.py; what it prints.
  nlohmann::json train(const std::string& task, const std::string& model) const {
    const std::string out = scratch_.path("metrics.json");
    const std::string command = absl::StrCat(
        "python3 '", files_, "/train.py' ", task, " --kappa '" KAPPA_BINARY "' --data '", data_,
        "' --train 2018-07-25..2018-07-31 --test 2018-08-08..2018-08-14 --model ", model, " > '",
        out, "'");
    REQUIRE(std::system(command.c_str()) == 0);
    return nlohmann::json::parse(text_of_file(out));
  }
  void apply() const { run({"apply", files_, "--data", data_, "--auto-approve"}); }
  void roll_back() const { run({"replay", "rollback", "--data", data_, "--yes"}); }
  std::string query(const std::string& sql) const {
    const Ended ended = kappa({"query", sql, "--data", data_});
    INFO(ended.err);
    REQUIRE(ended.code == 0);
    return ended.out.substr(ended.out.find('\n') + 1);
  }
  size_t alerts() const {
    const Ended ended = kappa({"consume", "fraud-alerts", "--data", data_});
    REQUIRE(ended.code == 0);
    return static_cast<size_t>(std::count(ended.out.begin(), ended.out.end(), '\n'));
  }

 private:
  const Scratch& scratch_;
  const std::string data_;
  const std::string files_;
  size_t records_ = 0;  // in the log
  std::unique_ptr<Process> serve_;
};

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
  const Product product(scratch);
  product.wait_until_applied();
  const size_t alerts = product.alerts();
  CHECK(alerts > 0);

  const nlohmann::json logistic = product.train("train", "logistic");
  CHECK(logistic["train_payments"] == 67'240);
  CHECK(logistic["train_frauds"] == 598);
  product.apply();
  check_metrics(product.train("evaluate", "logistic"), .871, .606, .291);
  CHECK(product.query("SELECT DISTINCT model_version FROM decisions") == "logistic-2018-07-31\n");

  product.train("train", "xgboost");
  product.apply();
  check_metrics(product.train("evaluate", "xgboost"), .862, .639, .273);

  // History has been decided three times over, and each alert has left once.
  CHECK(product.alerts() == alerts);
  product.roll_back();
  CHECK(product.query("SELECT DISTINCT model_version FROM decisions") == "logistic-2018-07-31\n");
  CHECK(product.alerts() == alerts);
}

}  // namespace kappa::cli
