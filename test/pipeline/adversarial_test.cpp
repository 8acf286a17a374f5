#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "test/pipeline/test_product.h"

// Streams that are made to hurt: right results all the same. What they cost is told by
// kappa_bench adversarial-…; running_frames_test has hot keys and disorder, the bench
// sliding-month long frames over many keys.
namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;

constexpr const char* kTable = R"(
CREATE FOREIGN TABLE tx (id bigint, card bigint, at timestamptz OPTIONS (unit 'ms'))
SERVER log OPTIONS (topic 'tx', format 'json', event_time 'at');)";

void append(TestProduct& product, int64_t id, int64_t card, int64_t at_ms) {
  product.append("tx", absl::StrCat(R"({"id":)", id, R"(,"card":)", card, R"(,"at":)", at_ms, "}"),
                 10'000'000, static_cast<int32_t>(id % 2));
}

// The ids that the late output of a view tells of.
std::set<int64_t> late_ids(TestProduct& product, const std::string& view) {
  std::set<int64_t> ids;
  for (const std::string& row : product.topic(view + ".late")) {
    const size_t at = row.find(R"("id":)");
    REQUIRE(at != std::string::npos);
    REQUIRE(ids.insert(std::stoll(row.substr(at + 5))).second);
  }
  return ids;
}

}  // namespace

TEST_CASE("a window of a hundred thousand keys closes at once") {
  constexpr int64_t kCards = 100'000;
  const bool restarts = GENERATE(false, true);
  INFO((restarts ? "restarted" : "not restarted"));
  TestProduct product(std::string(kTable) + R"(
CREATE MATERIALIZED VIEW minutes WITH (emit = 'final') AS
SELECT card, window_start, count(*) AS n, max(id) AS last
FROM tumble(tx, at, INTERVAL '1 minute') GROUP BY card, window_start;)");
  product.options.workers = 2;
  for (int64_t id = 0; id < 2 * kCards; ++id) append(product, id, id % kCards, id % 59'000);
  require_ok(product->advance());
  REQUIRE(product.rows("minutes").empty());
  if (restarts) {
    require_ok(product->checkpoint());
    product.options.workers = 1;
    product.crash_and_reopen();
  }
  append(product, 2 * kCards, 0, 60'000);
  require_ok(product->advance());
  const std::vector<std::string> rows = product.rows("minutes");
  REQUIRE(rows.size() == kCards);
  std::set<int64_t> cards;
  for (const std::string& row : rows) {
    const int64_t card = std::stoll(row);
    cards.insert(card);
    if (row != absl::StrCat(card, "|1970-01-01T00:00:00Z|2|", kCards + card)) {
      FAIL("found " << row);
    }
  }
  REQUIRE(cards.size() == kCards);
}

TEST_CASE("when every key is late, all of it is in the late output") {
  constexpr int64_t kCards = 5'000;
  const uint32_t workers = GENERATE(1u, 3u);
  INFO(workers << " workers");
  TestProduct product(std::string(kTable) + R"(
CREATE MATERIALIZED VIEW minutes AS
SELECT card, window_start, count(*) AS n
FROM tumble(tx, at, INTERVAL '1 minute') GROUP BY card, window_start;
CREATE MATERIALIZED VIEW answers AS
SELECT id, card, count(*) OVER (PARTITION BY card ORDER BY at RANGE '1 hour' PRECEDING) AS n FROM tx;
CREATE MATERIALIZED VIEW final WITH (emit = 'final') AS
SELECT id, count(*) OVER (PARTITION BY card ORDER BY at RANGE '1 hour' PRECEDING) AS n FROM tx;)");
  product.options.workers = workers;
  append(product, 0, kCards, 1'000'000);
  require_ok(product->advance());
  std::set<int64_t> late;
  for (int64_t id = 1; id <= 2 * kCards; ++id) {
    append(product, id, id % kCards, 500'000 + id % 1000);
    late.insert(id);
    if (id % 3000 == 0) require_ok(product->advance());
  }
  require_ok(product->advance());
  require_ok(product->checkpoint());
  REQUIRE(late_ids(product, "answers") == late);
  REQUIRE(late_ids(product, "final") == late);
  // A window knows of its rows no more than it needs.
  REQUIRE(product.topic("minutes.late").size() == late.size());
  REQUIRE(product.rows("minutes").size() == 1);
  // A late row is answered with what was known, and counted in later frames.
  const std::vector<std::string> rows = product.rows("answers");
  REQUIRE(rows.size() == 2 * kCards + 1);
  for (const std::string& row : rows) {
    const int64_t id = std::stoll(row);
    const int64_t card = id == 0 ? kCards : id % kCards;
    // The second of a card's rows sees the first, but for those that happened before it.
    const bool sees = id > kCards && id % 1000 >= (id - kCards) % 1000;
    if (!row.starts_with(absl::StrCat(id, "|", card, "|", sees ? 2 : 1))) FAIL("found " << row);
  }
  require_ok(product->complete());
  REQUIRE(product.rows("final").size() == 1);
}

}  // namespace kappa::runtime
