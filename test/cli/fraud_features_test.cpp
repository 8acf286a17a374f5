#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/deployment.h"
#include "engine/log/embedded/embedded_log.h"
#include "engine/runtime/pipeline.h"
#include "engine/sql/catalog.h"
#include "engine/types/clock.h"
#include "replay/compare.h"
#include "state/store.h"
#include "test/cli/handbook.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

// The features of the Fraud Detection Handbook, chapter 3: for each transaction at t, number and
// mean amount of its customer over (t - w, t]; for its terminal, number, frauds and their share
// over windows that end 7 days before, since labels come late. All rows are compared with sums over
// the transactions before, in the order of the file.
namespace kappa::cli {
namespace {

constexpr int64_t kDay = 86'400'000;  // milliseconds

const std::string kSql = R"(
CREATE FOREIGN TABLE transactions (
  transaction_id bigint, event_time_ms timestamptz OPTIONS (unit 'ms'), customer_id bigint,
  terminal_id bigint, amount numeric(12,2), is_fraud integer, PRIMARY KEY (transaction_id)
) SERVER log OPTIONS (topic 'transactions', format 'json', event_time 'event_time_ms');
CREATE MATERIALIZED VIEW features AS
SELECT transaction_id,
       count(*) OVER day1 AS n1, avg(amount) OVER day1 AS mean1,
       count(*) OVER day7 AS n7, avg(amount) OVER day7 AS mean7,
       count(*) OVER day30 AS n30, avg(amount) OVER day30 AS mean30,
       count(*) OVER past1 AS t1, sum(is_fraud) OVER past1 AS f1,
       COALESCE(avg(is_fraud) OVER past1, 0) AS risk1,
       count(*) OVER past7 AS t7, sum(is_fraud) OVER past7 AS f7,
       COALESCE(avg(is_fraud) OVER past7, 0) AS risk7,
       count(*) OVER past30 AS t30, sum(is_fraud) OVER past30 AS f30,
       COALESCE(avg(is_fraud) OVER past30, 0) AS risk30
FROM transactions
WINDOW day1 AS (PARTITION BY customer_id ORDER BY event_time_ms RANGE INTERVAL '1 day' - INTERVAL '1 microsecond' PRECEDING),
       day7 AS (PARTITION BY customer_id ORDER BY event_time_ms RANGE INTERVAL '7 days' - INTERVAL '1 microsecond' PRECEDING),
       day30 AS (PARTITION BY customer_id ORDER BY event_time_ms RANGE INTERVAL '30 days' - INTERVAL '1 microsecond' PRECEDING),
       past1 AS (PARTITION BY terminal_id ORDER BY event_time_ms RANGE BETWEEN INTERVAL '8 days' - INTERVAL '1 microsecond' PRECEDING AND '7 days' PRECEDING),
       past7 AS (PARTITION BY terminal_id ORDER BY event_time_ms RANGE BETWEEN INTERVAL '14 days' - INTERVAL '1 microsecond' PRECEDING AND '7 days' PRECEDING),
       past30 AS (PARTITION BY terminal_id ORDER BY event_time_ms RANGE BETWEEN INTERVAL '37 days' - INTERVAL '1 microsecond' PRECEDING AND '7 days' PRECEDING);
)";

// Over those of `before` with a time in (now - oldest, now - newest], newest first.
void append_sums(const std::vector<const Transaction*>& before, int64_t now_ms, int64_t oldest_ms,
                 int64_t newest_ms, bool frauds, std::string* out) {
  int64_t n = 0;
  int64_t sum = 0;
  for (auto at = before.rbegin(); at != before.rend() && (*at)->time_ms > now_ms - oldest_ms;
       ++at) {
    if ((*at)->time_ms > now_ms - newest_ms) continue;
    ++n;
    sum += frauds ? (*at)->fraud : (*at)->cents;
  }
  absl::StrAppend(out, "|", n);
  if (!frauds) {
    absl::StrAppend(out, "|", n == 0 ? "NULL" : mean_text(sum, n, 8));
  } else if (n == 0) {
    absl::StrAppend(out, "|NULL|0.000000");
  } else {
    absl::StrAppend(out, "|", sum, "|", mean_text(sum, n, 6));
  }
}

std::vector<std::string> expected_features(const std::vector<Transaction>& all) {
  std::vector<std::vector<const Transaction*>> customers;
  std::vector<std::vector<const Transaction*>> terminals;
  const auto of = [](auto& groups, int64_t id) -> auto& {
    if (static_cast<size_t>(id) >= groups.size()) groups.resize(static_cast<size_t>(id) + 1);
    return groups[static_cast<size_t>(id)];
  };
  std::vector<std::string> rows;
  for (const Transaction& row : all) {
    auto& customer = of(customers, row.customer);
    auto& terminal = of(terminals, row.terminal);
    customer.push_back(&row);
    terminal.push_back(&row);
    std::string text = absl::StrCat(row.id);
    for (const int64_t days : {1, 7, 30}) {
      append_sums(customer, row.time_ms, days * kDay, 0, false, &text);
    }
    for (const int64_t days : {1, 7, 30}) {
      append_sums(terminal, row.time_ms, (7 + days) * kDay, 7 * kDay, true, &text);
    }
    rows.push_back(std::move(text));
  }
  return rows;
}

runtime::Deadline in_two_minutes() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(2);
}

void require_ok(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

// The features over the log of a data directory, which they have applied.
class Features {
 public:
  explicit Features(const std::string& data) : data_(data) {
    clock_.set(LogTime{2'000'000'000'000});
    auto log = log::open_embedded_log(data + "/log", {});
    require_ok(log.status());
    log_ = *std::move(log);
    live_ = open(live_store_.get(), {.workers = 2});
    require_ok(live_->advance());
  }

  // The rows of the view, by transaction id.
  std::vector<std::string> rows(size_t count) const;

  // Replays the same logic on a store of its own: killed in the midst, and resumed from its
  // checkpoint with other workers and epochs. What it shows and holds in the end is the same.
  void check_replay(size_t count) const;

 private:
  std::unique_ptr<runtime::Pipeline> open(state::StateStore* store,
                                          const runtime::PipelineOptions& options) const {
    auto compiled = sql::compile_product({{"product.sql", kSql}}, {});
    INFO(sql::to_status(compiled.diagnostics).ToString());
    REQUIRE(compiled.ok());
    auto opened = runtime::Pipeline::open(std::move(compiled.plan), {}, log_.get(), store,
                                          data_ + "/journal", &clock_, options);
    require_ok(opened.status());
    return *std::move(opened);
  }
  std::unique_ptr<runtime::Snapshot> pin(runtime::Pipeline& pipeline) const {
    auto snapshot = pipeline.pin(pipeline.plan().views(), in_two_minutes());
    require_ok(snapshot.status());
    return *std::move(snapshot);
  }
  void check_equal(runtime::Pipeline& replayed, size_t count) const;

  const std::string data_;
  mutable ManualClock clock_;
  std::unique_ptr<log::Log> log_;
  const std::unique_ptr<state::StateStore> live_store_ = state::make_memory_store();
  std::unique_ptr<runtime::Pipeline> live_;
};

std::vector<std::string> Features::rows(size_t count) const {
  std::vector<std::string> rows(count);
  const operators::NodeId view = live_->plan().find_view("features");
  std::vector<int> columns(live_->plan().node(view).schema.size());
  for (size_t c = 0; c < columns.size(); ++c) columns[c] = static_cast<int>(c);
  const auto snapshot = pin(*live_);
  size_t found = 0;
  Arena arena;
  while (true) {
    auto batch = snapshot->next(view, columns, arena);
    REQUIRE(batch.ok());
    if (batch->empty()) break;
    for (size_t row = 0; row < batch->rows; ++row, ++found) {
      const int64_t id = batch->columns[0]->values<int64_t>()[row];
      REQUIRE(static_cast<size_t>(id) < count);
      std::string& text = rows[static_cast<size_t>(id)];
      for (const ColumnRef& column : batch->columns) {
        if (!text.empty()) text += "|";
        text += column->is_null(row) ? "NULL" : to_text(value_at(*column, row));
      }
    }
    arena.reset();
  }
  CHECK(found == count);
  return rows;
}

void Features::check_equal(runtime::Pipeline& replayed, size_t count) const {
  const auto before = pin(*live_);
  const auto after = pin(replayed);
  const auto views =
      replay::compare({live_->plan(), *before}, {replayed.plan(), *after}, 3, size_t{1} << 30);
  require_ok(views.status());
  REQUIRE(views->size() == 1);
  CHECK((*views)[0].equal());
  CHECK((*views)[0].rows_before == count);
  CHECK((*views)[0].checksum_before == (*views)[0].checksum_after);
  // Long texts: one after the other.
  const auto checksum = [](runtime::Pipeline& pipeline) {
    const auto dump = pipeline.canonical_dump();
    require_ok(dump.status());
    return checksum_of_dump(*dump);
  };
  const std::string live = checksum(*live_);
  CHECK(!live.empty());
  CHECK(checksum(replayed) == live);
}

void Features::check_replay(size_t count) const {
  const auto store = state::make_memory_store();
  const auto wait_for = [&](const std::function<bool(const runtime::PipelineStats&)>& holds,
                            const runtime::Pipeline& pipeline) {
    const runtime::Deadline deadline = in_two_minutes();
    while (true) {
      const runtime::PipelineStats stats = pipeline.stats();
      if (holds(stats)) return;
      if (!absl::IsDeadlineExceeded(stats.failure)) require_ok(stats.failure);
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  // The clock stands still: checkpoints come with what has changed.
  auto replayed = open(store.get(), {.workers = 1,
                                     .epoch_records_max = static_cast<uint32_t>(count / 200),
                                     .checkpoint_dirty_bytes_max = count * 40,
                                     .follow_only = true});
  require_ok(replayed->start());
  // So slow that it can be killed in the midst.
  const auto records = static_cast<double>(count);
  require_ok(replayed->set_pace({.records_per_second_max = records}, in_two_minutes()));
  wait_for([&](const auto& stats) { return stats.checkpoints > 1 && stats.records > count / 4; },
           *replayed);
  replayed.reset();

  replayed = open(store.get(), {.workers = 2, .epoch_records_max = 4096, .follow_only = true});
  const uint64_t resumed_at = replayed->stats().records;
  CHECK(resumed_at > 0);
  CHECK(resumed_at < count);
  require_ok(replayed->start());
  wait_for([&](const auto& stats) { return stats.records == count; }, *replayed);
  require_ok(replayed->stop());
  check_equal(*replayed, count);
}

void check_features(const std::string& file, const Scratch& scratch) {
  const std::string data = scratch.path("data");
  std::filesystem::create_directories(data);
  const Ended imported =
      kappa({"import", file, "--topic", "transactions", "--create", "--partitions", "1",
             "--timestamp", "event_time_ms", "--data", data});
  INFO(imported.err);
  REQUIRE(imported.code == 0);
  const std::vector<Transaction> all = read_handbook(file);
  const std::vector<std::string> expected = expected_features(all);
  const Features features(data);
  const std::vector<std::string> computed = features.rows(all.size());
  size_t different = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (computed[i] == expected[i]) continue;
    if (++different <= 3) {
      std::cerr << "expected " << expected[i] << "\ncomputed " << computed[i] << "\n";
    }
  }
  CHECK(different == 0);
  features.check_replay(all.size());
}

}  // namespace

TEST_CASE("fraud features of generated transactions are exact, and a replay's are the same") {
  const Scratch scratch;
  check_features(scratch.file("transactions.csv", generated_handbook()), scratch);
}

TEST_CASE(
    "fraud features of all the handbook's transactions are exact, and a replay's are the same") {
  const std::string file = handbook_file();
  if (file.empty()) return;
  const Scratch scratch;
  check_features(file, scratch);
}

}  // namespace kappa::cli
