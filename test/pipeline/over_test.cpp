#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "test/pipeline/test_product.h"

// OVER against a computation that sorts nothing away and remembers everything: each answer is
// worked out from all the records before it.
namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;
using Rows = std::vector<std::string>;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kBound = 3 * kSecond;
constexpr int64_t kHorizon = 12 * kSecond;  // the longest frame

const std::string kSql = R"(
CREATE FOREIGN TABLE tx (id bigint, card text, at timestamptz, amount bigint)
SERVER log OPTIONS (topic 'tx', format 'json', event_time 'at', out_of_orderness '3 seconds');
CREATE MATERIALIZED VIEW changes AS
SELECT id, count(*) OVER long AS c, sum(amount) OVER long AS s, min(amount) OVER half AS mi,
       max(amount) OVER past AS ma, count(DISTINCT amount) OVER long AS d,
       count(*) FILTER (WHERE amount > 2) OVER past AS f, lag(id) OVER long AS l,
       first_value(id) OVER half AS fi, last_value(id) OVER past AS la,
       count(*) OVER (ORDER BY at RANGE '4 seconds' PRECEDING) AS everybody
FROM tx
WINDOW long AS (PARTITION BY card ORDER BY at RANGE '12 seconds' PRECEDING),
       half AS (PARTITION BY card ORDER BY at RANGE INTERVAL '2 seconds' - INTERVAL '1 microsecond' PRECEDING),
       past AS (PARTITION BY card ORDER BY at RANGE BETWEEN '9 seconds' PRECEDING AND '1 second' PRECEDING);
CREATE MATERIALIZED VIEW final WITH (emit = 'final') AS
SELECT id, count(*) OVER long AS c, sum(amount) OVER long AS s, max(amount) OVER past AS ma,
       lag(id) OVER long AS l, sum(amount) OVER (PARTITION BY card ORDER BY at ROWS 2 PRECEDING) AS r,
       count(*) OVER (ORDER BY at RANGE '4 seconds' PRECEDING) AS everybody
FROM tx
WINDOW long AS (PARTITION BY card ORDER BY at RANGE '12 seconds' PRECEDING),
       past AS (PARTITION BY card ORDER BY at RANGE BETWEEN '9 seconds' PRECEDING AND '1 second' PRECEDING);)";

struct Tx {
  int64_t id;
  std::optional<int> card;
  int64_t at_us;
  std::optional<int64_t> amount;
  int64_t watermark_us = 0;  // at its place
  bool late() const { return at_us < watermark_us; }
  auto position() const { return std::pair(at_us, id); }
};

std::vector<Tx> random_transactions(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  std::vector<Tx> all;
  int64_t now = 100 * kSecond;
  int64_t newest = std::numeric_limits<int64_t>::min();
  for (int64_t id = 0; id < 150; ++id) {
    now += below(3) * kSecond / 2;  // many ties
    int64_t at = now;
    if (below(3) == 0) at -= below(5) * kSecond;    // disorder, some of it late
    if (below(15) == 0) at -= below(40) * kSecond;  // far too late
    if (below(8) == 0) at += below(2) * 2 - 1;      // a microsecond beside a bound
    Tx tx{id, std::nullopt, at, std::nullopt};
    if (below(10) != 0) tx.card = static_cast<int>(below(3));
    if (below(6) != 0) tx.amount = below(6);
    newest = std::max(newest, at);
    tx.watermark_us = newest - kBound;
    all.push_back(tx);
  }
  return all;
}

std::string json(const Tx& tx) {
  return absl::StrCat(R"({"id":)", tx.id, R"(,"card":)",
                      tx.card ? absl::StrCat("\"c", *tx.card, "\"") : "null",
                      R"(,"at":"1970-01-01T00:0)", tx.at_us / (60 * kSecond), ":",
                      tx.at_us / kSecond % 60 < 10 ? "0" : "", tx.at_us / kSecond % 60, ".",
                      absl::Dec(tx.at_us % kSecond, absl::kZeroPad6), R"(Z","amount":)",
                      tx.amount ? absl::StrCat(*tx.amount) : "null", "}");
}

struct Frame {
  int64_t start;
  int64_t end;
};
constexpr Frame kLong{12 * kSecond, 0};
constexpr Frame kHalf{2 * kSecond - 1, 0};
constexpr Frame kPast{9 * kSecond, kSecond};
constexpr Frame kFour{4 * kSecond, 0};

// What a row sees: of `known`, those in the frame, in order.
std::vector<Tx> frame(const std::vector<Tx>& known, const Tx& row, Frame frame, bool of_card) {
  std::vector<Tx> seen;
  const int64_t oldest = std::max(row.at_us - frame.start, row.watermark_us - kHorizon);
  for (const Tx& tx : known) {
    if (of_card && tx.card != row.card) continue;
    if (tx.at_us >= oldest && tx.at_us <= row.at_us - frame.end) seen.push_back(tx);
  }
  std::sort(seen.begin(), seen.end(),
            [](const Tx& a, const Tx& b) { return a.position() < b.position(); });
  return seen;
}

template <typename T>
std::string text(const std::optional<T>& value) {
  return value ? absl::StrCat(*value) : "NULL";
}

std::vector<int64_t> amounts(const std::vector<Tx>& rows) {
  std::vector<int64_t> values;
  for (const Tx& tx : rows) {
    if (tx.amount) values.push_back(*tx.amount);
  }
  return values;
}

std::string sum(const std::vector<Tx>& rows) {
  const auto values = amounts(rows);
  int64_t total = 0;
  for (const int64_t value : values) total += value;
  return values.empty() ? "NULL" : absl::StrCat(total);
}

std::string best(const std::vector<Tx>& rows, bool largest) {
  const auto values = amounts(rows);
  if (values.empty()) return "NULL";
  return absl::StrCat(largest ? *std::max_element(values.begin(), values.end())
                              : *std::min_element(values.begin(), values.end()));
}

std::string id_of(const std::vector<Tx>& rows, bool first) {
  return rows.empty() ? "NULL" : absl::StrCat(first ? rows.front().id : rows.back().id);
}

// The id of the row before `row` in its frame.
std::string lag(const std::vector<Tx>& rows, const Tx& row) {
  std::string before = "NULL";
  for (const Tx& tx : rows) {
    if (tx.position() < row.position()) before = absl::StrCat(tx.id);
  }
  return before;
}

Rows expected_changes(const std::vector<Tx>& all) {
  Rows rows;
  std::vector<Tx> known;
  for (const Tx& tx : all) {
    known.push_back(tx);
    const auto wide = frame(known, tx, kLong, true);
    const auto half = frame(known, tx, kHalf, true);
    const auto past = frame(known, tx, kPast, true);
    const auto values = amounts(wide);
    const auto large = std::count_if(past.begin(), past.end(),
                                     [](const Tx& t) { return t.amount && *t.amount > 2; });
    rows.push_back(absl::StrCat(
        tx.id, "|", wide.size(), "|", sum(wide), "|", best(half, false), "|", best(past, true), "|",
        std::set<int64_t>(values.begin(), values.end()).size(), "|", large, "|",
        // A row that counts for nobody has none before it either.
        tx.at_us < tx.watermark_us - kHorizon ? "NULL" : lag(wide, tx), "|", id_of(half, true), "|",
        id_of(past, false), "|", frame(known, tx, kFour, false).size()));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

Rows expected_final(const std::vector<Tx>& all) {
  std::vector<Tx> table;
  for (const Tx& tx : all) {
    if (tx.late()) continue;
    table.push_back(tx);
    table.back().watermark_us = std::numeric_limits<int64_t>::min() / 2;
  }
  Rows rows;
  for (const Tx& tx : table) {
    const auto wide = frame(table, tx, kLong, true);
    std::vector<Tx> last;
    for (const Tx& other : frame(table, tx, {1000 * kSecond, 0}, true)) {
      if (other.position() <= tx.position()) last.push_back(other);
    }
    if (last.size() > 3) last.erase(last.begin(), last.end() - 3);
    rows.push_back(absl::StrCat(tx.id, "|", wide.size(), "|", sum(wide), "|",
                                best(frame(table, tx, kPast, true), true), "|", lag(wide, tx), "|",
                                sum(last), "|", frame(table, tx, kFour, false).size()));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Without the columns that identify a record, which come after those of the view.
Rows shown(Rows rows, size_t columns) {
  for (std::string& row : rows) {
    std::vector<std::string> cells = absl::StrSplit(row, '|');
    cells.resize(std::min(cells.size(), columns));
    row = absl::StrJoin(cells, "|");
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

void check_seed(uint64_t seed) {
  INFO("seed " << seed);
  const std::vector<Tx> all = random_transactions(seed);
  std::mt19937_64 random(seed);
  TestProduct product(kSql);
  product.options.workers = 1 + static_cast<uint32_t>(random() % 3);
  product.options.epoch_records_max = random() % 2 == 0 ? 7 : 4096;
  for (const Tx& tx : all) {
    product.append("tx", json(tx), 1'000'000 + tx.id, 0);
    if (random() % 10 == 0) require_ok(product->advance());
    if (random() % 25 == 0) require_ok(product->checkpoint());
    if (random() % 40 == 0) {
      product.options.workers = 1 + static_cast<uint32_t>(random() % 3);
      product.crash_and_reopen();
    }
  }
  require_ok(product->advance());
  CHECK(shown(product.rows("changes"), 11) == expected_changes(all));
  require_ok(product->complete());
  CHECK(shown(product.rows("final"), 7) == expected_final(all));
}

}  // namespace

TEST_CASE("answers of OVER are those of a computation from all the records before") {
  for (uint64_t seed = 1; seed <= 60; ++seed) check_seed(seed);
}

}  // namespace kappa::runtime
