#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;
using test::wait_for;
using Rows = std::vector<std::string>;

const std::string kSql = R"(
CREATE FOREIGN TABLE hits (page text, n integer) SERVER log OPTIONS (topic 'hits', format 'json');
CREATE MATERIALIZED VIEW pages AS SELECT page, count(*) AS n, sum(n) AS total FROM hits GROUP BY page;)";

TEST_CASE("a live pipeline takes what arrives while others read, and a recomputation agrees") {
  for (const uint32_t workers : {1u, 2u}) {
    TestProduct product(kSql,
                        {.workers = workers, .epoch_records_max = 64, .checkpoint_interval_ms = 1});
    product.append("hits", R"({"page":"p0","n":0})", 1);
    require_ok(product->start());
    constexpr int kHits = 3000;
    uint64_t last_total = 0;
    for (int i = 1; i < kHits; ++i) {
      product.append("hits", absl::StrCat(R"({"page":"p)", i % 5, R"(","n":)", i, "}"), i + 1,
                     i % 2);
      if (i % 100 != 0) continue;
      // Whoever scans sees one moment: the counts of a snapshot never fall.
      uint64_t total = 0;
      for (const std::string& row : product.rows("pages")) {
        total += std::stoull(row.substr(row.find('|') + 1));
      }
      CHECK(total >= last_total);
      last_total = total;
    }
    wait_for([&] { return product->stats().records == kHits; });
    require_ok(product->stop());
    const Rows rows = product.rows("pages");
    CHECK(rows.size() == 5);
    CHECK(rows[0] == "p0|600|898500");
    const std::string dump = product.dump();

    auto store = state::make_memory_store();
    PipelineOptions options{.workers = 3 - workers, .mute_outputs = true, .follow_only = true};
    auto again = Pipeline::open(product->plan(), {}, product.log.get(), store.get(),
                                product.directory.path("journal"), &product.clock, options);
    require_ok(again.status());
    require_ok((*again)->follow(UINT64_MAX));
    CHECK(*(*again)->canonical_dump() == dump);
  }
}

TEST_CASE("a point read of a live pipeline answers with a stamp") {
  TestProduct product(kSql);
  product.append("hits", R"({"page":"a","n":7})", 1);
  require_ok(product->start());
  wait_for([&] { return product->stats().records == 1; });
  std::atomic<bool> done{false};
  ViewReader::Rows answer;
  product->get(product->plan().find_view("pages"), {{Value::text("a")}, {Value::text("z")}},
               [&](absl::StatusOr<ViewReader::Rows> rows) {
                 if (rows.ok()) answer = *std::move(rows);
                 done = true;
               });
  wait_for([&] { return done.load(); });
  REQUIRE(answer.rows.size() == 2);
  REQUIRE(answer.rows[0]);
  CHECK(to_text((*answer.rows[0])[2]) == "7");
  CHECK(!answer.rows[1]);
  CHECK(answer.stamp.generation == 1);
  CHECK(answer.stamp.place[0].second == Offset{1});
  require_ok(product->stop());
}

// What get_after() has answered.
struct LateAnswer {
  std::atomic<bool> done{false};
  absl::StatusOr<ViewReader::Rows> rows = absl::UnknownError("not answered");
};

std::shared_ptr<LateAnswer> ask_after(TestProduct& product, Offset offset,
                                      std::chrono::milliseconds patience, const char* page = "a",
                                      int32_t partition = 0) {
  auto answer = std::make_shared<LateAnswer>();
  product->get_after({{"hits", partition}, offset, std::chrono::steady_clock::now() + patience},
                     product->plan().find_view("pages"), {{Value::text(page)}},
                     [answer](absl::StatusOr<ViewReader::Rows> rows) {
                       answer->rows = std::move(rows);
                       answer->done = true;
                     });
  return answer;
}

std::string total_of(const LateAnswer& answer) {
  require_ok(answer.rows.status());
  return answer.rows->rows[0] ? to_text((*answer.rows->rows[0])[2]) : "none";
}

TEST_CASE("a read after a record waits until that is applied, and sees it") {
  TestProduct product(kSql);
  product.append("hits", R"({"page":"a","n":7})", 1);
  require_ok(product->start());
  const auto there = ask_after(product, Offset{0}, std::chrono::minutes(1));
  wait_for([&] { return there->done.load(); });
  CHECK(total_of(*there) == "7");
  const auto first = ask_after(product, Offset{1}, std::chrono::minutes(1));
  const auto second = ask_after(product, Offset{2}, std::chrono::minutes(1));
  const auto elsewhere = ask_after(product, Offset{0}, std::chrono::minutes(1), "z", 1);
  product.append("hits", R"({"page":"a","n":1})", 2);
  wait_for([&] { return first->done.load(); });
  CHECK(total_of(*first) == "8");
  CHECK_FALSE(second->done);
  CHECK_FALSE(elsewhere->done);
  product.append("hits", R"({"page":"a","n":1})", 3);
  product.append("hits", "no JSON", 4, 1);  // it is applied, though it has no effect
  wait_for([&] { return second->done && elsewhere->done; });
  CHECK(total_of(*second) == "9");
  CHECK(total_of(*elsewhere) == "none");
  CHECK(first->rows->stamp.place[0].second == Offset{2});
  require_ok(product->stop());
}

TEST_CASE("a read after a record that does not come ends with its deadline") {
  TestProduct product(kSql);
  product.rows("pages");  // opens it
  require_ok(product->start());
  const auto answer = ask_after(product, Offset{0}, std::chrono::milliseconds(5));
  const auto unknown = ask_after(product, Offset{0}, std::chrono::milliseconds(5), "a", 17);
  wait_for([&] { return answer->done && unknown->done; });
  CHECK(absl::IsDeadlineExceeded(answer->rows.status()));
  CHECK(absl::IsDeadlineExceeded(unknown->rows.status()));
  require_ok(product->stop());
}

TEST_CASE("reads that wait for a record are answered when the pipeline stops") {
  TestProduct product(kSql);
  product.rows("pages");  // opens it
  require_ok(product->start());
  const auto answer = ask_after(product, Offset{0}, std::chrono::hours(1));
  require_ok(product->stop());
  REQUIRE(answer->done);
  CHECK(absl::IsUnavailable(answer->rows.status()));
  const auto after = ask_after(product, Offset{0}, std::chrono::hours(1));
  REQUIRE(after->done);
  CHECK(absl::IsUnavailable(after->rows.status()));
}

TEST_CASE("of reads that wait for a record there are only so many") {
  TestProduct product(kSql);
  product.rows("pages");  // opens it
  require_ok(product->start());
  constexpr int kReadsMax = 4096;
  std::vector<std::shared_ptr<LateAnswer>> answers;
  answers.reserve(kReadsMax);
  for (int i = 0; i < kReadsMax; ++i) {
    answers.push_back(ask_after(product, Offset{0}, std::chrono::hours(1)));
  }
  const auto one_more = ask_after(product, Offset{0}, std::chrono::hours(1));
  wait_for([&] { return one_more->done.load(); });
  CHECK(absl::IsResourceExhausted(one_more->rows.status()));
  product.append("hits", R"({"page":"a","n":7})", 1);
  wait_for([&] {
    return std::all_of(answers.begin(), answers.end(),
                       [](const auto& a) { return a->done.load(); });
  });
  CHECK(total_of(*answers.front()) == "7");
  CHECK(total_of(*answers.back()) == "7");
  require_ok(product->stop());
}

TEST_CASE("the stamp of a moment has the watermark of any nodes") {
  TestProduct product(R"(
CREATE FOREIGN TABLE hits (n integer, at timestamptz) SERVER log
OPTIONS (topic 'hits', format 'json', event_time 'at');
CREATE FOREIGN TABLE odd (n integer) SERVER log OPTIONS (topic 'odd', format 'json');
INSERT INTO odd SELECT n FROM hits WHERE n % 2 = 1;)");
  product.append("hits", R"({"n":7,"at":"2024-05-01T10:00:00Z"})", 1'714'557'600'000);
  require_ok(product->start());
  wait_for([&] { return product->stats().records == 1; });
  const auto& nodes = product->plan().nodes;
  std::atomic<bool> done{false};
  Stamp stamp;
  product->stamp_now({nodes.back().inputs.at(0)}, [&](absl::StatusOr<Stamp> now) {
    if (now.ok()) stamp = *std::move(now);
    done = true;
  });
  wait_for([&] { return done.load(); });
  CHECK(stamp.watermark == EventTime{1'714'557'600'000'000});
  CHECK(stamp.place.at(0).second == Offset{1});
  require_ok(product->stop());
}

}  // namespace
}  // namespace kappa::runtime
