#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/types/time.h"
#include "test/pipeline/test_product.h"

// Running frames in adverse streams, against a computation from all the records before.
namespace kappa::runtime {
namespace {

using test::require_ok;
using test::TestProduct;

constexpr int64_t kSecond = kMicrosPerSecond;
constexpr int64_t kBound = 5 * kSecond;
constexpr int64_t kHorizon = 60 * kSecond;
constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

const std::string kSql = R"(
CREATE FOREIGN TABLE tx (id bigint, card bigint, at timestamptz, amount bigint, place text)
SERVER log OPTIONS (topic 'tx', format 'json', event_time 'at', out_of_orderness '5 seconds',
                    idle_timeout '20 seconds');
CREATE MATERIALIZED VIEW answers AS
SELECT id, count(*) OVER long AS n, sum(amount) OVER long AS s, count(DISTINCT place) OVER long AS d,
       count(*) OVER short AS sn, sum(amount) OVER past AS ps, count(DISTINCT place) OVER past AS pd,
       min(amount) OVER long AS least, max(amount) OVER long AS most, max(amount) OVER short AS sm,
       min(amount) OVER past AS pl, max(amount) OVER past AS pm,
       first_value(id) OVER long AS first, first_value(id) OVER past AS pf, last_value(id) OVER past AS pa,
       lag(id) OVER long AS before, lag(id, 1000) OVER short AS long_before, lag(id, 2) OVER past AS past_before
FROM tx
WINDOW long AS (PARTITION BY card ORDER BY at RANGE '60 seconds' PRECEDING),
       short AS (PARTITION BY card ORDER BY at RANGE '3 seconds' PRECEDING),
       past AS (PARTITION BY card ORDER BY at RANGE BETWEEN '40 seconds' PRECEDING AND '7 seconds' PRECEDING);)";

struct Tx {
  int64_t id = 0;
  int64_t card = 0;
  int64_t at_us = 0;
  int64_t amount = 0;
  int place = 0;
  int64_t silence_us = 0;    // before it, at a tick
  int64_t watermark_us = 0;  // at its place
};

// In how many seconds and microseconds, with a sign, an event happened.
std::string timestamp(int64_t us) {
  const int64_t day = us >= 0 ? us / kMicrosPerDay : -((-us + kMicrosPerDay - 1) / kMicrosPerDay);
  const int64_t within = us - day * kMicrosPerDay;
  const std::string date = day == 0 ? "1970-01-01" : day == -1 ? "1969-12-31" : "";
  REQUIRE(!date.empty());
  const int64_t seconds = within / kSecond;
  return absl::StrCat(date, "T", absl::Dec(seconds / 3600, absl::kZeroPad2), ":",
                      absl::Dec(seconds / 60 % 60, absl::kZeroPad2), ":",
                      absl::Dec(seconds % 60, absl::kZeroPad2), ".",
                      absl::Dec(within % kSecond, absl::kZeroPad6), "Z");
}

std::string json(const Tx& tx) {
  return absl::StrCat(R"({"id":)", tx.id, R"(,"card":)", tx.card, R"(,"at":")", timestamp(tx.at_us),
                      R"(","amount":)", tx.amount, R"(,"place":"p)", tx.place, R"("})");
}

using Position = std::pair<int64_t, int64_t>;  // time, id

struct Seen {
  int64_t count = 0;
  int64_t sum = 0;
  int64_t least = std::numeric_limits<int64_t>::max();
  int64_t most = std::numeric_limits<int64_t>::min();
  std::set<int> places;
  Position first = {std::numeric_limits<int64_t>::max(), 0};
  Position last = {kNever, 0};
};

Seen look(const std::vector<const Tx*>& known, const Tx& row, int64_t start_us, int64_t end_us) {
  Seen seen;
  const int64_t oldest_us = std::max(row.at_us - start_us, row.watermark_us - kHorizon);
  for (const Tx* tx : known) {
    if (tx->at_us < oldest_us || tx->at_us > row.at_us - end_us) continue;
    ++seen.count;
    seen.sum += tx->amount;
    seen.least = std::min(seen.least, tx->amount);
    seen.most = std::max(seen.most, tx->amount);
    seen.places.insert(tx->place);
    seen.first = std::min(seen.first, Position(tx->at_us, tx->id));
    seen.last = std::max(seen.last, Position(tx->at_us, tx->id));
  }
  return seen;
}

// The id of the row that comes so many before this one among all of its card, if it was seen.
std::string before(const std::set<Position>& all, const Tx& row, int64_t distance,
                   const Seen& seen) {
  auto at = all.find({row.at_us, row.id});
  for (; distance > 0; --distance) {
    if (at == all.begin()) return "NULL";
    --at;
  }
  const bool there = seen.count > 0 && seen.first <= *at && *at <= seen.last;
  return there ? absl::StrCat(at->second) : "NULL";
}

std::vector<std::string> expected(const std::vector<Tx>& all) {
  const auto of = [](const Seen& seen, int64_t value) {
    return seen.count == 0 ? "NULL" : absl::StrCat(value);
  };
  std::vector<std::string> rows;
  std::map<int64_t, std::vector<const Tx*>> cards;
  std::map<int64_t, std::set<Position>> ordered;
  for (const Tx& tx : all) {
    std::vector<const Tx*>& known = cards[tx.card];
    known.push_back(&tx);
    std::set<Position>& all_of_card = ordered[tx.card];
    all_of_card.emplace(tx.at_us, tx.id);
    const Seen wide = look(known, tx, kHorizon, 0);
    const Seen brief = look(known, tx, 3 * kSecond, 0);
    const Seen past = look(known, tx, 40 * kSecond, 7 * kSecond);
    const std::vector<std::string> cells = {absl::StrCat(tx.id),
                                            absl::StrCat(wide.count),
                                            of(wide, wide.sum),
                                            absl::StrCat(wide.places.size()),
                                            absl::StrCat(brief.count),
                                            of(past, past.sum),
                                            absl::StrCat(past.places.size()),
                                            of(wide, wide.least),
                                            of(wide, wide.most),
                                            of(brief, brief.most),
                                            of(past, past.least),
                                            of(past, past.most),
                                            of(wide, wide.first.second),
                                            of(past, past.first.second),
                                            of(past, past.last.second),
                                            before(all_of_card, tx, 1, wide),
                                            before(all_of_card, tx, 1000, brief),
                                            before(all_of_card, tx, 2, past)};
    rows.push_back(absl::StrJoin(cells, "|"));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<std::string> answers(TestProduct& product) {
  std::vector<std::string> rows = product.rows("answers");
  for (std::string& row : rows) {
    std::vector<std::string> cells = absl::StrSplit(row, '|');
    cells.resize(18);  // the columns that identify a record come behind
    row = absl::StrJoin(cells, "|");
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Streams are made of this.
class Stream {
 public:
  explicit Stream(uint64_t seed) : random_(seed) {}

  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  void add(int64_t card, int64_t at_us, int64_t silence_us = 0) {
    Tx tx{static_cast<int64_t>(all.size()), card,       at_us, below(100),
          static_cast<int>(below(7)),       silence_us, 0};
    if (silence_us > 0) newest_us_ += silence_us;
    newest_us_ = std::max(newest_us_, at_us);
    tx.watermark_us = newest_us_ - kBound;
    all.push_back(tx);
  }

  std::vector<Tx> all;

 private:
  std::mt19937_64 random_;
  int64_t newest_us_ = kNever / 2;
};

// Applies it in epochs of some size, with crashes after which there are other numbers of workers.
void check(Stream& stream, int64_t records_an_epoch, int64_t records_a_crash) {
  TestProduct product(kSql);
  product.options.workers = 1 + static_cast<uint32_t>(stream.below(3));
  int64_t now_ms = 200'000'000;
  for (const Tx& tx : stream.all) {
    if (tx.silence_us > 0) {
      require_ok(product->advance());
      now_ms += tx.silence_us / kMicrosPerMilli;
      product.clock.set(LogTime{now_ms});
      require_ok(product->tick());
    }
    product.append("tx", json(tx), now_ms, 0);
    if (tx.id % records_an_epoch == 0) require_ok(product->advance());
    if (records_a_crash > 0 && tx.id % records_a_crash == records_a_crash - 1) {
      require_ok(product->advance());
      if (stream.below(2) == 0) require_ok(product->checkpoint());
      product.options.workers = 1 + static_cast<uint32_t>(stream.below(4));
      product.crash_and_reopen();
    }
  }
  require_ok(product->advance());
  const auto found = answers(product);
  const auto right = expected(stream.all);
  REQUIRE(found.size() == right.size());
  size_t wrong = 0;
  for (size_t i = 0; i < found.size() && wrong < 3; ++i) {
    if (found[i] == right[i]) continue;
    ++wrong;
    UNSCOPED_INFO("found " << found[i] << " instead of " << right[i]);
  }
  REQUIRE(wrong == 0);
}

}  // namespace

TEST_CASE("running frames of a hot key in which nothing comes in order") {
  const uint64_t seed = GENERATE(range(1, 4));
  INFO("seed " << seed);
  Stream stream(seed);
  // 400 events a second, so that the span of disorder has 2000 of the hot key.
  for (int64_t n = 0; n < 6000; ++n) {
    const int64_t card = stream.below(10) == 0 ? 1 + stream.below(20) : 0;
    const int64_t now = 1000 * kSecond + n * kSecond / 400;
    stream.add(card, now - stream.below(kBound));
  }
  // Then it comes in order for a while, and goes wild again.
  for (int64_t n = 0; n < 3000; ++n) {
    const int64_t now = 1016 * kSecond + n * kSecond / 100;
    stream.add(0, n < 2000 ? now : now - stream.below(2 * kHorizon));
  }
  check(stream, 250, seed == 1 ? 0 : 2500);
}

TEST_CASE("running frames of rows so late that they have passed several thresholds") {
  const uint64_t seed = GENERATE(range(1, 9));
  INFO("seed " << seed);
  Stream stream(seed);
  for (int64_t n = 0; n < 600; ++n) {
    const int64_t now = 1000 * kSecond + n * kSecond / 4;
    const int64_t back = stream.below(3) == 0 ? stream.below(2 * kHorizon) : 0;
    // On the edges of frames, too.
    const int64_t edges[] = {0, 3, 7, 40, 60};
    const bool edge = stream.below(4) == 0;
    stream.add(stream.below(3),
               now - (edge ? edges[stream.below(5)] * kSecond + stream.below(3) - 1 : back));
  }
  check(stream, 1 + static_cast<int64_t>(seed) * 7, 90);
}

TEST_CASE("running frames of many events at one time, which come in any order") {
  const uint64_t seed = GENERATE(range(1, 5));
  INFO("seed " << seed);
  Stream stream(seed);
  for (int64_t n = 0; n < 900; ++n) {
    const int64_t now = 1000 * kSecond + n / 8 * kSecond;
    stream.add(stream.below(2), now - stream.below(3) * kSecond);
  }
  check(stream, 30, 200);
}

TEST_CASE("running frames of events before 1970, and across it") {
  const uint64_t seed = GENERATE(range(1, 5));
  INFO("seed " << seed);
  Stream stream(seed);
  for (int64_t n = 0; n < 500; ++n) {
    const int64_t now = -100 * kSecond + n * kSecond / 3;
    stream.add(stream.below(4), now - (stream.below(3) == 0 ? stream.below(kBound * 2) : 0));
  }
  check(stream, 20, 130);
}

TEST_CASE("running frames when ticks take the watermark beyond the events") {
  const uint64_t seed = GENERATE(range(1, 7));
  INFO("seed " << seed);
  Stream stream(seed);
  int64_t now = 1000 * kSecond;
  for (int64_t n = 0; n < 300; ++n) {
    // Silence, after which events may lie before the watermark, and before all that has passed.
    const bool silent = n > 0 && stream.below(25) == 0;
    const int64_t silence = silent ? (20 + stream.below(60)) * kSecond : 0;
    now += stream.below(kSecond);
    if (silent && stream.below(2) == 0) now += silence;
    stream.add(stream.below(3), now - (stream.below(3) == 0 ? stream.below(kBound) : 0), silence);
  }
  check(stream, 8, 70);
}

TEST_CASE("running frames of keys that go, are swept, and come back") {
  Stream stream(5);
  int64_t now = 1000 * kSecond;
  for (int round = 0; round < 4; ++round) {
    for (int64_t n = 0; n < 700; ++n) {
      now += kSecond / 50;
      stream.add(stream.below(5) == 0 ? 10'000 + stream.below(3) : stream.below(400), now);
    }
    // All of it expires; many epochs sweep what is left.
    for (int64_t n = 0; n < 60; ++n) {
      now += 2 * kSecond;
      stream.add(20'000, now);
    }
  }
  check(stream, 10, 650);
}

}  // namespace kappa::runtime
