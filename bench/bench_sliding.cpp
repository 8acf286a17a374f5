// How fast are exact sliding windows? For each bid, over the bids of its auction:
//
//   sliding    count and sum of the trailing minute, of an auction with 20,000 events a second
//   sliding-month  the same over 30 days of a million auctions, one event a second: what it takes
//              of memory, restarted too
//   sliding-month-values  first, previous and highest price within 30 days, likewise
//   features   count, sum and distinct bidders of the trailing minute, hour and day, with 50 events
//              a second, so that a run sees all of them come and go
//
// Over Nexmark's auctions and, as "…-uniform", over a million uniform ones. Answers are summed up
// rather than written anywhere; the events are in every checkpoint.
#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr const char* kSlidingSql = R"(
CREATE FOREIGN TABLE answers (auction bigint, n bigint, total numeric(38,0))
  SERVER log OPTIONS (topic 'answers', format 'json');
INSERT INTO answers
SELECT auction, count(*) OVER minute, sum(price) OVER minute FROM bid
WINDOW minute AS (PARTITION BY auction ORDER BY date_time
                  RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW);
)";

constexpr const char* kMonthSql = R"(
CREATE FOREIGN TABLE answers (auction bigint, n bigint, total numeric(38,0))
  SERVER log OPTIONS (topic 'answers', format 'json');
INSERT INTO answers
SELECT auction, count(*) OVER month, sum(price) OVER month FROM bid
WINDOW month AS (PARTITION BY auction ORDER BY date_time
                 RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW);
)";

constexpr const char* kMonthValuesSql = R"(
CREATE FOREIGN TABLE answers (auction bigint, first bigint, before bigint, most bigint)
  SERVER log OPTIONS (topic 'answers', format 'json');
INSERT INTO answers
SELECT auction, first_value(price) OVER month, lag(price) OVER month, max(price) OVER month FROM bid
WINDOW month AS (PARTITION BY auction ORDER BY date_time
                 RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW);
)";

constexpr const char* kFeaturesSql = R"(
CREATE FOREIGN TABLE answers (
  auction bigint, n_1m bigint, total_1m numeric(38,0), bidders_1m bigint,
  n_1h bigint, total_1h numeric(38,0), bidders_1h bigint,
  n_1d bigint, total_1d numeric(38,0), bidders_1d bigint
) SERVER log OPTIONS (topic 'answers', format 'json');
INSERT INTO answers
SELECT auction, count(*) OVER m, sum(price) OVER m, count(DISTINCT bidder) OVER m,
       count(*) OVER h, sum(price) OVER h, count(DISTINCT bidder) OVER h,
       count(*) OVER d, sum(price) OVER d, count(DISTINCT bidder) OVER d
FROM bid
WINDOW m AS (PARTITION BY auction ORDER BY date_time
             RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW),
       h AS (PARTITION BY auction ORDER BY date_time
             RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW),
       d AS (PARTITION BY auction ORDER BY date_time
             RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW);
)";

// What answers add up to, modulo 2^64: each value times a number that its auction gives, so that
// answers cannot change places.
class Sums {
 public:
  void add(int64_t auction, size_t column, int64_t value) {
    sums_[column] += static_cast<uint64_t>(value) * (static_cast<uint64_t>(auction) * 2 + 1);
  }
  void add(const Batch& batch) {
    const auto auctions = batch.columns[0]->values<int64_t>();
    for (size_t c = 1; c < batch.columns.size(); ++c) {
      dispatch_physical(batch.columns[c]->type().physical(), [&]<typename T>() {
        if constexpr (std::is_integral_v<T> || std::is_same_v<T, int128>) {
          const auto values = batch.columns[c]->values<T>();
          for (size_t i = 0; i < batch.rows; ++i) {
            add(auctions[i], c, static_cast<int64_t>(values[i]));
          }
        }
      });
    }
    rows += batch.rows;
  }
  bool operator==(const Sums&) const = default;

  uint64_t rows = 0;

 private:
  std::array<uint64_t, 10> sums_{};
};

// One auction's trailing bids over one length, each bid coming in its turn.
class Trailing {
 public:
  void add(const Bid& bid, int64_t length_us) {
    for (; first_ < bids_.size(); ++first_) {
      const Bid& oldest = bids_[first_];
      if (oldest.date_time_us >= bid.date_time_us - length_us) break;
      sum -= oldest.price;
      const auto bidder = bidders_.find(oldest.bidder);
      if (--bidder->second == 0) bidders_.erase(bidder);
    }
    bids_.push_back(bid);
    sum += bid.price;
    ++bidders_[bid.bidder];
  }
  int64_t count() const { return static_cast<int64_t>(bids_.size() - first_); }
  int64_t distinct() const { return static_cast<int64_t>(bidders_.size()); }
  int64_t first() const { return bids_[first_].price; }
  // Of the bid before the last one, if it is there.
  int64_t before() const { return count() > 1 ? bids_[bids_.size() - 2].price : 0; }
  int64_t most() const {
    int64_t most = 0;
    for (size_t i = first_; i < bids_.size(); ++i) most = std::max(most, bids_[i].price);
    return most;
  }

  int64_t sum = 0;

 private:
  std::vector<Bid> bids_;  // those before `first_` are gone
  size_t first_ = 0;
  std::unordered_map<int64_t, int64_t> bidders_;
};

enum class Asked : uint8_t { kSums, kSumsAndDistinct, kValues };

struct Kind {
  const char* sql;
  std::vector<int64_t> lengths_us;
  Asked asked;
  int64_t events_per_second;
  bool restarts = false;
};

const Kind kSliding{kSlidingSql, {kMicrosPerMinute}, Asked::kSums, 20'000};
const Kind kMonth{kMonthSql, {30 * kMicrosPerDay}, Asked::kSums, 1, true};
const Kind kMonthValues{kMonthValuesSql, {30 * kMicrosPerDay}, Asked::kValues, 1, true};
const Kind kFeatures{
    kFeaturesSql, {kMicrosPerMinute, kMicrosPerHour, kMicrosPerDay}, Asked::kSumsAndDistinct, 50};

absl::InlinedVector<int64_t, 3> answers(const Trailing& trailing, Asked asked) {
  switch (asked) {
    case Asked::kSums:
      return {trailing.count(), trailing.sum};
    case Asked::kSumsAndDistinct:
      return {trailing.count(), trailing.sum, trailing.distinct()};
    default:
      return {trailing.first(), trailing.before(), trailing.most()};
  }
}

Sums expected(const Kind& kind, const Bids& bids) {
  Sums sums;
  std::unordered_map<int64_t, std::vector<Trailing>> auctions;
  bids([&](const Bid& bid) {
    std::vector<Trailing>& trailing = auctions[bid.auction];
    trailing.resize(kind.lengths_us.size());
    size_t column = 1;
    for (size_t i = 0; i < trailing.size(); ++i) {
      trailing[i].add(bid, kind.lengths_us[i]);
      for (const int64_t answer : answers(trailing[i], kind.asked)) {
        sums.add(bid.auction, column++, answer);
      }
    }
    ++sums.rows;
  });
  return sums;
}

BidQuery query_of(const Kind& kind) {
  const auto sums = std::make_shared<Sums>();
  BidQuery query;
  query.product.sql = kind.sql;
  query.product.restarts = kind.restarts;
  query.product.on_output = [sums](operators::NodeId, const Batch& batch) { sums->add(batch); };
  query.check_for = [sums, &kind](const Bids& bids) -> Check {
    return [sums, &kind, bids](runtime::ViewReader&) -> absl::Status {
      const Sums seen = std::exchange(*sums, {});
      const Sums right = expected(kind, bids);
      if (seen == right) return absl::OkStatus();
      return absl::InternalError(
          absl::StrCat("the answers of ", seen.rows, " bids are not those of ", right.rows));
    };
  };
  return query;
}

absl::StatusOr<Result> run_kind(const Kind& kind, const Options& options, int64_t uniform) {
  if (options.workers > 1) {
    return absl::InvalidArgumentError("this bench sums up its answers on one worker");
  }
  return run_generated(query_of(kind),
                       {.uniform = uniform, .events_per_second = kind.events_per_second}, options);
}

const bool added =
    add({"sliding", "count and sum of an auction's trailing minute for each bid", 4'600'000,
         [](const Options& options) { return run_kind(kSliding, options, 0); }}) &&
    add({"sliding-uniform", "the same over a million uniform auctions", 4'600'000,
         [](const Options& options) { return run_kind(kSliding, options, 1'000'000); }}) &&
    add({"sliding-month", "30 days of a million auctions: memory_mib… are to stay below 512",
         4'600'000, [](const Options& options) { return run_kind(kMonth, options, 1'000'000); }}) &&
    add({"sliding-month-values",
         "first, previous and highest price within 30 days of a million auctions: likewise",
         4'600'000,
         [](const Options& options) { return run_kind(kMonthValues, options, 1'000'000); }}) &&
    add({"features", "count, sum and distinct bidders over a minute, an hour and a day", 4'600'000,
         [](const Options& options) { return run_kind(kFeatures, options, 0); }}) &&
    add({"features-uniform", "the same over a million uniform auctions", 4'600'000,
         [](const Options& options) { return run_kind(kFeatures, options, 1'000'000); }});

}  // namespace

BidQuery sliding_query() {
  return query_of(kSliding);
}

BidQuery features_query() {
  BidQuery query = query_of(kFeatures);
  query.product.keys.events_per_second = kFeatures.events_per_second;
  return query;
}

}  // namespace kappa::bench
