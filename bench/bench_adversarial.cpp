// What do streams cost that are made to hurt? Each is run beside a friendly one of as many records;
// `slowdown` is how many times the CPU time it takes.
//
//   adversarial-hot-key   count and sum of an auction's trailing minute, where one auction has 90 %
//                         of the bids, and all come out of order by up to the source's bound
//                         (friendly: 10k uniform auctions, in order)
//   adversarial-hot-max   the same for the highest price
//   adversarial-window    one tumbling window of a million auctions, which closes at once
//                         (friendly: windows of ten seconds and 10k auctions)
//   adversarial-expiry    windows of 10 ms, with the auctions in each, that are kept for 5 seconds
//                         (friendly: for a tenth of a second)
//   adversarial-late      every bid is late for its window (friendly: in time)
#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bid_log.h"
#include "bench/product_run.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr int64_t kMinuteMs = kMicrosPerMinute / kMicrosPerMilli;

constexpr const char* kSlidingSql = R"(
CREATE FOREIGN TABLE answers (auction bigint, n bigint, total numeric(38,0))
  SERVER log OPTIONS (topic 'answers', format 'json');
INSERT INTO answers
SELECT auction, count(*) OVER minute, sum(price) OVER minute FROM bid
WINDOW minute AS (PARTITION BY auction ORDER BY date_time
                  RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW);
)";

constexpr const char* kMaximumSql = R"(
CREATE FOREIGN TABLE answers (auction bigint, highest bigint)
  SERVER log OPTIONS (topic 'answers', format 'json');
INSERT INTO answers
SELECT auction, max(price) OVER (PARTITION BY auction ORDER BY date_time
                                 RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW)
FROM bid;
)";

constexpr const char* kDistinctKeptBrieflySql = R"(
CREATE FOREIGN TABLE answers (n bigint, auctions bigint)
  SERVER log OPTIONS (topic 'answers', format 'json');
CREATE MATERIALIZED VIEW windows WITH (emit = 'final', retention = '100 milliseconds') AS
SELECT window_start, count(*) AS n, count(DISTINCT auction) AS auctions
FROM tumble(bid, date_time, INTERVAL '10 milliseconds') GROUP BY window_start;
INSERT INTO answers SELECT n, auctions FROM windows;
)";

constexpr const char* kDistinctKeptLongSql = R"(
CREATE FOREIGN TABLE answers (n bigint, auctions bigint)
  SERVER log OPTIONS (topic 'answers', format 'json');
CREATE MATERIALIZED VIEW windows WITH (emit = 'final', retention = '5 seconds') AS
SELECT window_start, count(*) AS n, count(DISTINCT auction) AS auctions
FROM tumble(bid, date_time, INTERVAL '10 milliseconds') GROUP BY window_start;
INSERT INTO answers SELECT n, auctions FROM windows;
)";

std::string tumbling_sql(const char* size) {
  return absl::StrCat(R"(
CREATE MATERIALIZED VIEW bids_per_auction WITH (emit = 'final') AS
SELECT window_start, auction, count(*) AS bids, sum(price) AS total
FROM tumble(bid, date_time, INTERVAL ')",
                      size, R"(') GROUP BY window_start, auction;
)");
}

// ---- one auction has nearly everything --------------------------------------------------------

// Counts and prices by millisecond, summed up to any of them: a Fenwick tree.
class ByTime {
 public:
  struct Sum {
    int64_t count = 0;
    int64_t total = 0;
  };
  explicit ByTime(int64_t first_ms, int64_t milliseconds)
      : first_ms_(first_ms), sums_(static_cast<size_t>(milliseconds) + 1) {}

  void add(int64_t time_ms, int64_t price) {
    for (size_t i = index(time_ms); i < sums_.size(); i += i & -i) {
      ++sums_[i].count;
      sums_[i].total += price;
    }
  }
  Sum up_to(int64_t time_ms) const {
    Sum sum;
    if (time_ms < first_ms_) return sum;
    for (size_t i = index(time_ms); i > 0; i -= i & -i) {
      sum.count += sums_[i].count;
      sum.total += sums_[i].total;
    }
    return sum;
  }

 private:
  size_t index(int64_t time_ms) const {
    return std::min(static_cast<size_t>(time_ms - first_ms_) + 1, sums_.size() - 1);
  }
  int64_t first_ms_;
  std::vector<Sum> sums_;
};

// What answers add up to, modulo 2^64, each times a number that its auction gives.
struct Answers {
  uint64_t rows = 0;
  uint64_t counts = 0;
  uint64_t totals = 0;
  void add(int64_t auction, int64_t count, int64_t total) {
    const auto weight = static_cast<uint64_t>(auction) * 2 + 1;
    ++rows;
    counts += static_cast<uint64_t>(count) * weight;
    totals += static_cast<uint64_t>(total) * weight;
  }
  bool operator==(const Answers&) const = default;
};

Answers expected_answers(int64_t records, const BidKeys& keys) {
  const auto ms_of = [](const Bid& bid) { return bid.date_time_us / kMicrosPerMilli; };
  const int64_t first_ms = ms_of(nexmark_bid(0, keys)) - keys.disorder_ms - 1;
  const int64_t last_ms = nexmark_bid(records - 1, keys).known_us / kMicrosPerMilli;
  ByTime hot(first_ms, last_ms - first_ms + 1);
  std::unordered_map<int64_t, std::vector<Bid>> others;
  Answers answers;
  generated_bids(records, keys)([&](const Bid& bid) {
    const int64_t at_ms = ms_of(bid);
    if (bid.auction == kFirstAuction) {
      hot.add(at_ms, bid.price);
      const ByTime::Sum now = hot.up_to(at_ms);
      const ByTime::Sum before = hot.up_to(at_ms - kMinuteMs - 1);
      return answers.add(bid.auction, now.count - before.count, now.total - before.total);
    }
    std::vector<Bid>& known = others[bid.auction];
    known.push_back(bid);
    int64_t count = 0;
    int64_t total = 0;
    for (const Bid& each : known) {
      if (ms_of(each) > at_ms || ms_of(each) < at_ms - kMinuteMs) continue;
      ++count;
      total += each.price;
    }
    answers.add(bid.auction, count, total);
  });
  return answers;
}

// The highest price of any stretch of milliseconds: a segment tree.
class MaximumByTime {
 public:
  MaximumByTime(int64_t first_ms, int64_t milliseconds)
      : first_ms_(first_ms), leaves_(static_cast<size_t>(milliseconds)), best_(2 * leaves_) {}

  void add(int64_t time_ms, int64_t price) {
    for (size_t i = leaves_ + index(time_ms); i > 0; i /= 2) best_[i] = std::max(best_[i], price);
  }
  int64_t between(int64_t first_ms, int64_t last_ms) const {
    int64_t best = 0;
    size_t low = leaves_ + index(std::max(first_ms, first_ms_));
    size_t high = leaves_ + index(last_ms) + 1;
    for (; low < high; low /= 2, high /= 2) {
      if (low % 2 == 1) best = std::max(best, best_[low++]);
      if (high % 2 == 1) best = std::max(best, best_[--high]);
    }
    return best;
  }

 private:
  size_t index(int64_t time_ms) const { return static_cast<size_t>(time_ms - first_ms_); }
  int64_t first_ms_;
  size_t leaves_;
  std::vector<int64_t> best_;
};

Answers expected_maxima(int64_t records, const BidKeys& keys) {
  const auto ms_of = [](const Bid& bid) { return bid.date_time_us / kMicrosPerMilli; };
  const int64_t first_ms = ms_of(nexmark_bid(0, keys)) - keys.disorder_ms - 1;
  const int64_t last_ms = nexmark_bid(records - 1, keys).known_us / kMicrosPerMilli;
  MaximumByTime hot(first_ms, last_ms - first_ms + 1);
  std::unordered_map<int64_t, std::vector<Bid>> others;
  Answers answers;
  generated_bids(records, keys)([&](const Bid& bid) {
    const int64_t at_ms = ms_of(bid);
    if (bid.auction == kFirstAuction) {
      hot.add(at_ms, bid.price);
      return answers.add(bid.auction, hot.between(at_ms - kMinuteMs, at_ms), 0);
    }
    std::vector<Bid>& known = others[bid.auction];
    known.push_back(bid);
    int64_t best = 0;
    for (const Bid& each : known) {
      if (ms_of(each) > at_ms || ms_of(each) < at_ms - kMinuteMs) continue;
      best = std::max(best, each.price);
    }
    answers.add(bid.auction, best, 0);
  });
  return answers;
}

// Bids and auctions of each window.
Answers expected_windows(int64_t records, const BidKeys& keys) {
  constexpr int64_t kSizeUs = 10 * kMicrosPerMilli;
  struct Window {
    int64_t bids = 0;
    std::unordered_set<int64_t> auctions;
  };
  std::unordered_map<int64_t, Window> windows;
  for (int64_t n = 0; n < records; ++n) {
    const Bid bid = nexmark_bid(n, keys);
    Window& window = windows[bid.date_time_us / kSizeUs];
    ++window.bids;
    window.auctions.insert(bid.auction);
  }
  Answers answers;
  for (const auto& [number, window] : windows) {
    answers.add(window.bids, static_cast<int64_t>(window.auctions.size()), 0);
  }
  return answers;
}

struct Question {
  const char* sql;
  Answers (*expected)(int64_t records, const BidKeys& keys);
  bool completes = false;
};

absl::StatusOr<Result> run_answers(const Options& options, const Question& question,
                                   const BidKeys& keys) {
  Answers answers;
  Product product;
  product.sql = question.sql;
  product.keys = keys;
  product.completes = question.completes;
  product.on_output = [&](operators::NodeId, const Batch& batch) {
    const auto at = [&](size_t column, size_t row) {
      const Column& values = *batch.columns[column];
      return values.type().physical() == PhysicalType::kInt128
                 ? static_cast<int64_t>(values.values<int128>()[row])
                 : values.values<int64_t>()[row];
    };
    for (size_t i = 0; i < batch.rows; ++i) {
      answers.add(at(0, i), at(1, i), batch.columns.size() > 2 ? at(2, i) : 0);
    }
  };
  return check_and_run(product, options, [&](int64_t records) -> Check {
    return [&answers, &question, keys, records](runtime::ViewReader&) -> absl::Status {
      const Answers seen = std::exchange(answers, {});
      if (seen == question.expected(records, keys)) return absl::OkStatus();
      return absl::InternalError(
          absl::StrCat("the ", seen.rows, " answers are not those of ", records, " bids"));
    };
  });
}

// ---- windows ------------------------------------------------------------------------------------

absl::StatusOr<Result> run_windows(const Options& options, const BidKeys& keys, const char* size,
                                   int64_t size_us) {
  Product product;
  product.sql = tumbling_sql(size);
  product.keys = keys;
  product.completes = true;
  const auto check_for = [&](int64_t records) -> Check {
    return [=](runtime::ViewReader& reader) -> absl::Status {
      const bool late = keys.first_ahead_ms > 0;
      // By window and auction.
      std::unordered_map<int64_t, std::unordered_map<int64_t, std::pair<int64_t, int64_t>>> right;
      for (int64_t n = 0; n < (late ? 1 : records); ++n) {
        const Bid bid = nexmark_bid(n, keys);
        auto& [bids, total] = right[bid.date_time_us / size_us * size_us][bid.auction];
        ++bids;
        total += bid.price;
      }
      size_t rows = 0;
      KAPPA_RETURN_IF_ERROR(for_each_row(reader, "bids_per_auction", [&](const Row& row) {
        ++rows;
        const auto& [bids, total] =
            right[std::get<int64_t>(row[0].data)][std::get<int64_t>(row[1].data)];
        const bool same = std::get<int64_t>(row[2].data) == bids &&
                          static_cast<int64_t>(std::get<int128>(row[3].data)) == total;
        return same ? absl::OkStatus()
                    : absl::InternalError(
                          absl::StrCat("auction ", std::get<int64_t>(row[1].data), " is wrong"));
      }));
      size_t expected = 0;
      for (const auto& [start, auctions] : right) expected += auctions.size();
      if (rows == expected) return absl::OkStatus();
      return absl::InternalError(absl::StrCat("the view has ", rows, " rows, not ", expected));
    };
  };
  return check_and_run(product, options, check_for);
}

// ---- beside the friendly case -------------------------------------------------------------------

using Runner = std::function<absl::StatusOr<Result>(const Options&)>;

absl::StatusOr<Result> compare(const Options& options, const Runner& friendly,
                               const Runner& adversarial) {
  Options first = options;
  first.directory = options.directory + "/friendly";
  KAPPA_ASSIGN_OR_RETURN(const Result kind, friendly(first));
  KAPPA_ASSIGN_OR_RETURN(Result result, adversarial(options));
  result.more["friendly_cpu_seconds"] = kind.cpu_seconds;
  result.more["slowdown"] = kind.cpu_seconds > 0 ? result.cpu_seconds / kind.cpu_seconds : 0.0;
  return result;
}

constexpr int64_t kDisorderMs = 4000;  // the source's bound
constexpr BidKeys kFriendly{.uniform = 10'000};

constexpr BidKeys kHot{.uniform = 10'000, .hot_percent = 90, .disorder_ms = kDisorderMs};
constexpr Question kCountAndSum{kSlidingSql, expected_answers};
constexpr Question kMaximum{kMaximumSql, expected_maxima};
constexpr Question kKeptBriefly{kDistinctKeptBrieflySql, expected_windows, true};
constexpr Question kKeptLong{kDistinctKeptLongSql, expected_windows, true};

absl::StatusOr<Result> hot_key(const Options& options) {
  return compare(
      options, [](const Options& o) { return run_answers(o, kCountAndSum, kFriendly); },
      [](const Options& o) { return run_answers(o, kCountAndSum, kHot); });
}

absl::StatusOr<Result> hot_maximum(const Options& options) {
  return compare(
      options, [](const Options& o) { return run_answers(o, kMaximum, kFriendly); },
      [](const Options& o) { return run_answers(o, kMaximum, kHot); });
}

absl::StatusOr<Result> one_window(const Options& options) {
  static constexpr BidKeys kMany{.uniform = 1'000'000};
  return compare(
      options,
      [](const Options& o) {
        return run_windows(o, kFriendly, "10 seconds", 10 * kMicrosPerSecond);
      },
      [](const Options& o) { return run_windows(o, kMany, "1 day", kMicrosPerDay); });
}

absl::StatusOr<Result> expiry(const Options& options) {
  return compare(
      options, [](const Options& o) { return run_answers(o, kKeptBriefly, kFriendly); },
      [](const Options& o) { return run_answers(o, kKeptLong, kFriendly); });
}

absl::StatusOr<Result> late(const Options& options) {
  static constexpr BidKeys kLate{.uniform = 10'000, .first_ahead_ms = 30 * kMinuteMs};
  const auto windows = [](const BidKeys& keys) -> Runner {
    return [keys](const Options& o) {
      return run_windows(o, keys, "10 seconds", 10 * kMicrosPerSecond);
    };
  };
  auto result = compare(options, windows(kFriendly), windows(kLate));
  if (!result.ok()) return result;
  const auto expected = static_cast<double>(result->records - 1);
  if (result->more["late"] == expected) return result;
  return absl::InternalError(absl::StrCat(result->more["late"], " bids were late, not ", expected));
}

const bool added =
    add({"adversarial-hot-key", "one auction has 90 % of bids, out of order by 4 seconds",
         2'000'000, hot_key}) &&
    add({"adversarial-hot-max", "the same for the highest price", 1'000'000, hot_maximum}) &&
    add({"adversarial-window", "a million auctions in one window, which closes at once", 4'600'000,
         one_window}) &&
    add({"adversarial-expiry", "many windows with count(DISTINCT) are kept, one after another ends",
         1'000'000, expiry}) &&
    add({"adversarial-late", "every bid is late", 1'000'000, late});

}  // namespace
}  // namespace kappa::bench
