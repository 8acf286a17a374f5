#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/compiled_product.h"
#include "engine/cli/product_files.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/runtime/pipeline.h"
#include "engine/types/clock.h"
#include "state/store.h"
#include "test/cli/handbook.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

// The data product sales_fraud on published data: the fifteen features of the handbook's chapter 3,
// as its SQL computes them from payments and from reports of fraud that come a week later; and the
// totals of the retail data.
namespace kappa::cli {
namespace {

constexpr int64_t kDay = 86'400'000;  // milliseconds

// What is asked of the product beside its own statements. Every row leaves as it is made, so that
// rows of half a year need not be kept.
constexpr char kFeaturesOut[] = R"(
CREATE FOREIGN TABLE features_out (
  transaction_id text, amount numeric(12,2), is_weekend boolean, is_night boolean,
  n1 bigint, mean1 numeric(38,8), n7 bigint, mean7 numeric(38,8), n30 bigint, mean30 numeric(38,8),
  t1 bigint, risk1 double precision, t7 bigint, risk7 double precision, t30 bigint,
  risk30 double precision
) SERVER log OPTIONS (topic 'features-out', format 'json');
INSERT INTO features_out
SELECT transaction_id, amount, is_weekend, is_night,
       customer_count_24h, customer_mean_24h, customer_count_7d, customer_mean_7d,
       customer_count_30d, customer_mean_30d,
       terminal_matured_1d, terminal_risk_1d, terminal_matured_7d, terminal_risk_7d,
       terminal_matured_30d, terminal_risk_30d
FROM decisions;
)";

void require_ok(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

void import(const std::string& data, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "import");
  arguments.insert(arguments.end(), {"--create", "--partitions", "1", "--data", data});
  const Ended ended = kappa(arguments);
  INFO(ended.err);
  REQUIRE(ended.code == 0);
}

// Imports payments, and a report of each fraud a week later.
void import_handbook(const std::string& file, const std::vector<Transaction>& all,
                     const Scratch& scratch, const std::string& data) {
  std::filesystem::create_directories(data);
  import(data, {file,
                "--topic",
                "transactions",
                "--key",
                "customer_id",
                "--timestamp",
                "event_time_ms",
                "--rename",
                "event_time_ms=event_time",
                "--rename",
                "customer_id=card_id",
                "--drop",
                "is_fraud",
                "--drop",
                "fraud_scenario",
                "--type",
                "transaction_id=text",
                "--type",
                "customer_id=text",
                "--type",
                "terminal_id=text"});
  std::string reports;
  for (const Transaction& row : all) {
    if (row.fraud == 0) continue;
    absl::StrAppend(&reports, R"({"transaction_id": ")", row.id, R"(", "reported_at": )",
                    row.time_ms + 7 * kDay, "}\n");
  }
  import(data, {scratch.file("reports.ndjson", reports), "--topic", "fraud-reports", "--key",
                "transaction_id", "--timestamp", "reported_at"});
  for (const char* topic : {"fraud-rules", "sale-lines", "fraud-alerts", "features-out"}) {
    REQUIRE(kappa({"topics", "--create", topic, "--partitions", "1", "--data", data}).code == 0);
  }
}

using Features = std::array<std::string, 15>;

std::string share_text(int64_t frauds, int64_t n) {
  const double share = n == 0 ? 0 : static_cast<double>(frauds) / static_cast<double>(n);
  return to_text(Value{Type::double_precision(), share});
}

// Number and sum over those of `before` with a time in (now - oldest, now - newest], newest first.
std::pair<int64_t, int64_t> sums(const std::vector<const Transaction*>& before, int64_t now_ms,
                                 int64_t oldest_ms, int64_t newest_ms, bool frauds) {
  std::pair<int64_t, int64_t> found{0, 0};
  for (auto at = before.rbegin(); at != before.rend() && (*at)->time_ms > now_ms - oldest_ms;
       ++at) {
    if ((*at)->time_ms > now_ms - newest_ms) continue;
    ++found.first;
    found.second += frauds ? (*at)->fraud : (*at)->cents;
  }
  return found;
}

Features expected_features(const Transaction& row, const std::vector<const Transaction*>& customer,
                           const std::vector<const Transaction*>& terminal) {
  Features features;
  const std::string cents = absl::StrCat(row.cents % 100 + 100).substr(1);
  features[0] = absl::StrCat(row.cents / 100, ".", cents);
  const int64_t day = row.time_ms / kDay;  // 0 is a Thursday
  features[1] = (day + 3) % 7 >= 5 ? "true" : "false";
  features[2] = row.time_ms % kDay / 3'600'000 <= 6 ? "true" : "false";
  size_t next = 3;
  for (const int64_t days : {1, 7, 30}) {
    const auto [n, sum] = sums(customer, row.time_ms, days * kDay, 0, false);
    features[next++] = absl::StrCat(n);
    features[next++] = mean_text(sum, n, 8);
  }
  for (const int64_t days : {1, 7, 30}) {
    const auto [n, frauds] = sums(terminal, row.time_ms, (7 + days) * kDay, 7 * kDay, true);
    features[next++] = absl::StrCat(n);
    features[next++] = share_text(frauds, n);
  }
  return features;
}

// Compares what leaves with what is expected, row by row, in the order of the log.
class FeaturesCheck {
 public:
  explicit FeaturesCheck(const std::vector<Transaction>& all) : all_(all) {}

  void take(const Batch& batch) {
    const std::lock_guard lock(mutex_);
    for (size_t row = 0; row < batch.rows; ++row) compare(batch, row);
  }
  void require_all_equal() const {
    CHECK(different_ == 0);
    CHECK(seen_ == all_.size());
  }

 private:
  static std::vector<const Transaction*>& of(std::vector<std::vector<const Transaction*>>& groups,
                                             int64_t id) {
    if (static_cast<size_t>(id) >= groups.size()) groups.resize(static_cast<size_t>(id) + 1);
    return groups[static_cast<size_t>(id)];
  }

  void compare(const Batch& batch, size_t row) {
    if (seen_ >= all_.size()) {
      ++different_;
      return;
    }
    const Transaction& wanted = all_[seen_++];
    auto& customer = of(customers_, wanted.customer);
    auto& terminal = of(terminals_, wanted.terminal);
    customer.push_back(&wanted);
    terminal.push_back(&wanted);
    const Features features = expected_features(wanted, customer, terminal);
    bool equal = to_text(value_at(*batch.columns[0], row)) == absl::StrCat(wanted.id);
    for (size_t f = 0; f < features.size(); ++f) {
      const Column& column = *batch.columns[f + 1];
      const std::string found = column.is_null(row) ? "NULL" : to_text(value_at(column, row));
      if (found == features[f]) continue;
      equal = false;
      if (different_ < 3) WARN("payment " << wanted.id << ", feature " << f << ": " << found);
    }
    if (!equal) ++different_;
  }

  const std::vector<Transaction>& all_;
  std::mutex mutex_;
  std::vector<std::vector<const Transaction*>> customers_;
  std::vector<std::vector<const Transaction*>> terminals_;
  size_t seen_ = 0;
  size_t different_ = 0;
};

void check_features(const std::string& file, const Scratch& scratch) {
  const std::vector<Transaction> all = read_handbook(file);
  const std::string data = scratch.path("data");
  import_handbook(file, all, scratch, data);
  auto files = read_product(KAPPA_SOURCE_DIR "/schemas/sales_fraud");
  require_ok(files.status());
  files->files["product.sql"] += kFeaturesOut;
  auto compiled = compile_plan(*files);
  require_ok(compiled.status());

  ManualClock clock;
  clock.set(LogTime{2'000'000'000'000});
  auto log = log::open_embedded_log(data + "/log", {});
  require_ok(log.status());
  FeaturesCheck check(all);
  runtime::PipelineOptions options{.product = "sales_fraud"};
  options.on_output = [&, plan = *compiled](operators::NodeId output, const Batch& batch) {
    if (operators::sink_of(plan, output).topic == "features-out") check.take(batch);
  };
  const auto store = state::make_memory_store();
  auto pipeline = runtime::Pipeline::open(*std::move(compiled), {}, log->get(), store.get(),
                                          data + "/journal", &clock, options);
  require_ok(pipeline.status());
  require_ok((*pipeline)->advance());
  check.require_all_equal();
}

// The single row of a query, its cells separated by tabs.
std::string only_row(const std::string& data, const std::string& sql) {
  const Ended ended = kappa({"query", sql, "--data", data});
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  return ended.out.substr(ended.out.find('\n') + 1);
}

}  // namespace

TEST_CASE("the product's features of generated payments are the published model's") {
  const Scratch scratch;
  check_features(scratch.file("transactions.csv", generated_handbook()), scratch);
}

TEST_CASE("the product's features of all the handbook's payments are the published model's") {
  const std::string file = handbook_file();
  if (file.empty()) return;
  const Scratch scratch;
  check_features(file, scratch);
}

TEST_CASE("the sales of the published retail data add up to its totals") {
  const std::string file = KAPPA_SOURCE_DIR "/../shared/data/retail/online_retail.csv.zst";
  if (!std::filesystem::exists(file)) {
    WARN("the retail data is not there: skipped");
    return;
  }
  const Scratch scratch;
  const std::string data = scratch.path("data");
  std::filesystem::create_directories(data);
  import(data,
         {file, "--topic", "sale-lines", "--key", "invoice_no", "--timestamp", "event_time_ms",
          "--rename", "event_time_ms=event_time", "--type", "invoice_no=text", "--type",
          "stock_code=text", "--type", "customer_id=text", "--type", "description=text"});
  for (const char* topic : {"transactions", "fraud-reports", "fraud-rules", "fraud-alerts"}) {
    REQUIRE(kappa({"topics", "--create", topic, "--partitions", "1", "--data", data}).code == 0);
  }
  const std::string product = KAPPA_SOURCE_DIR "/schemas/sales_fraud";
  Process serve(scratch.directory(), {"serve", "--data", data, "--product", product, "--listen",
                                      "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(serve.wait_for_output("gRPC"));
  const std::string totals = "SELECT * FROM sales_totals";
  for (int i = 0; i < 600 && only_row(data, totals).rfind("541909\t", 0) != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  // Lines, invoices, customers, items, net revenue, cancelled invoices, the worth of what came
  // back.
  CHECK(only_row(data, totals) == "541909\t25900\t4372\t5176450\t9747747.934\t3836\t896812.490\n");
  // The hours, days and products have the same lines.
  const std::string revenue = "SELECT sum(revenue), sum(returned) FROM ";
  CHECK(only_row(data, revenue + "sales_by_day") == "9747747.934\t896812.490\n");
  CHECK(only_row(data, "SELECT sum(revenue), sum(items) FROM product_sales_by_day") ==
        "9747747.934\t5176450\n");
  CHECK(only_row(data,
                 "SELECT count(*), max(place) FROM top_products_by_day WHERE window_start = "
                 "'2011-12-09'") == "20\t20\n");
  serve.signal(SIGTERM);
  CHECK(serve.wait().code == 0);
}

}  // namespace kappa::cli
