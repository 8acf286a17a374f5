#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;

// Every transfer debits one account and credits another, in two aggregates that are joined: once
// with every account on both sides, once with those that a side does not know yet as NULL.
const std::string kSql = R"(
CREATE FOREIGN TABLE transfers (payer integer, payee integer, amount bigint)
SERVER log OPTIONS (topic 'transfers', format 'json');

CREATE MATERIALIZED VIEW debits AS SELECT account, sum(amount) AS amount FROM
  (SELECT payer AS account, amount FROM transfers
   UNION ALL SELECT payee AS account, 0::bigint AS amount FROM transfers) AS moved
GROUP BY account;
CREATE MATERIALIZED VIEW credits AS SELECT account, sum(amount) AS amount FROM
  (SELECT payee AS account, amount FROM transfers
   UNION ALL SELECT payer AS account, 0::bigint AS amount FROM transfers) AS moved
GROUP BY account;
CREATE MATERIALIZED VIEW balances AS
SELECT d.account, c.amount - d.amount AS balance FROM debits d JOIN credits c ON c.account = d.account;
CREATE MATERIALIZED VIEW total AS SELECT sum(balance) AS total FROM balances;

CREATE MATERIALIZED VIEW accounts AS SELECT account, count(*) AS n FROM
  (SELECT payer AS account FROM transfers UNION ALL SELECT payee AS account FROM transfers) AS moved
GROUP BY account;
CREATE MATERIALIZED VIEW paid AS SELECT payer, sum(amount) AS amount FROM transfers GROUP BY payer;
CREATE MATERIALIZED VIEW got AS SELECT payee, sum(amount) AS amount FROM transfers GROUP BY payee;
CREATE MATERIALIZED VIEW outer_balances AS
SELECT a.account, coalesce(got.amount, 0) - coalesce(paid.amount, 0) AS balance
FROM accounts a LEFT JOIN paid ON paid.payer = a.account LEFT JOIN got ON got.payee = a.account;
CREATE MATERIALIZED VIEW outer_total AS SELECT sum(balance) AS total FROM outer_balances;
)";

// Reads the balances of a running pipeline, one look after the other, on a thread of its own.
class Auditor {
 public:
  explicit Auditor(Pipeline& pipeline) : thread_([this, &pipeline] { run(pipeline); }) {}
  ~Auditor() { stop(); }

  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int64_t looks() const { return looks_; }
  bool stopped() const { return stopped_; }
  // After stop().
  const std::string& complaint() const { return complaint_; }

 private:
  void run(Pipeline& pipeline) {
    while (!stop_ && complaint_.empty()) {
      look(pipeline);
      ++looks_;
    }
    stopped_ = true;
  }

  void look(Pipeline& pipeline) {
    const operators::Plan& plan = pipeline.plan();
    const auto snapshot =
        pipeline.pin(plan.views(), std::chrono::steady_clock::now() + std::chrono::seconds(60));
    if (!snapshot.ok()) {
      complaint_ = snapshot.status().ToString();
      return;
    }
    for (const char* view : {"balances", "total", "outer_balances", "outer_total"}) {
      const int64_t sum = sum_of(**snapshot, plan, view);
      if (sum != 0) absl::StrAppend(&complaint_, "the sum over ", view, " is ", sum, "; ");
    }
  }

  // Of the last column.
  int64_t sum_of(Snapshot& snapshot, const operators::Plan& plan, const char* name) {
    const operators::NodeId view = plan.find_view(name);
    const int column = static_cast<int>(plan.node(view).schema.size()) - 1;
    int64_t sum = 0;
    while (true) {
      Arena arena;
      const auto batch = snapshot.next(view, {column}, arena);
      if (!batch.ok()) complaint_ = batch.status().ToString();
      if (!batch.ok() || batch->empty()) return sum;
      for (size_t row = 0; row < batch->rows; ++row) {
        const Value value = value_at(*batch->columns[0], row);
        if (!value.is_null()) sum += std::stoll(to_text(value));
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<bool> stopped_{false};
  std::atomic<int64_t> looks_{0};
  std::string complaint_;
  std::thread thread_;  // the last member: it uses the others
};

void wait_until_applied(TestProduct& product, int records) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (product->stats().records < static_cast<uint64_t>(records)) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Numbers transfers from `from` on, at least up to `to` and until somebody has looked a hundred
// times. How many there are then. The pipeline is never far behind, so that it ends soon.
int run_transfers(TestProduct& product, int from, int to) {
  constexpr int64_t kLooks = 100;
  constexpr int kAtOnce = 500;
  std::minstd_rand random(static_cast<uint32_t>(from + 1));
  require_ok(product->start());
  Auditor auditor(*product);
  int i = from;
  while (i < to || (auditor.looks() < kLooks && !auditor.stopped())) {
    for (int n = 0; n < kAtOnce; ++n, ++i) {
      const auto payer = random() % 200;
      const auto payee = random() % 200;
      product.append("transfers",
                     absl::StrCat(R"({"payer":)", payer, R"(,"payee":)", payee, R"(,"amount":)",
                                  random() % 1000, "}"),
                     i, i % 2);
    }
    wait_until_applied(product, i - kAtOnce);
  }
  wait_until_applied(product, i);
  auditor.stop();
  CHECK(auditor.complaint() == "");
  return i;
}

TEST_CASE("balances made of two aggregates joined sum up to 0 whenever somebody looks") {
  constexpr int kTransfers = 5000;
  for (const uint32_t workers : {1u, 4u}) {
    TestProduct product(kSql,
                        {.workers = workers, .epoch_records_max = 64, .checkpoint_interval_ms = 5});
    product.append("transfers", R"({"payer":1,"payee":2,"amount":3})", 0);
    const int half = run_transfers(product, 1, kTransfers);
    product.options.workers = 5 - workers;
    product.crash_and_reopen();
    run_transfers(product, half, half + kTransfers);
    require_ok(product->stop());
    CHECK(product.rows("total") == std::vector<std::string>{"0"});
    CHECK(product.rows("outer_total") == std::vector<std::string>{"0"});
    CHECK(product.rows("balances") == product.rows("outer_balances"));
    CHECK(product.rows("balances").size() == 200);
  }
}

}  // namespace
}  // namespace kappa::runtime
