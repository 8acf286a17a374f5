// How fast does a durable aggregate take records? Nexmark query 17: bids per auction and day, with
// counts by price, minimum, maximum, average and sum, over Nexmark's keys and, as
// "aggregate-uniform", over 300k uniform ones.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr const char* kSql = R"(
CREATE MATERIALIZED VIEW auction_days AS
SELECT auction, CAST(date_time AS date) AS day,
       count(*) AS total_bids,
       count(*) FILTER (WHERE price < 10000) AS rank1_bids,
       count(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
       count(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
       min(price) AS min_price, max(price) AS max_price,
       avg(price) AS avg_price, sum(price) AS sum_price
FROM bid GROUP BY auction, CAST(date_time AS date);
)";

struct Totals {
  int64_t bids = 0;
  int64_t rank1 = 0;
  int64_t rank2 = 0;
  int64_t rank3 = 0;
  int64_t min_price = 0;
  int64_t max_price = 0;
  int64_t sum_price = 0;  // at most 10^8 a bid
};

void add_bid(const Bid& bid, Totals* totals) {
  const bool first = totals->bids == 0;
  ++totals->bids;
  ++(bid.price < 10'000 ? totals->rank1 : bid.price < 1'000'000 ? totals->rank2 : totals->rank3);
  totals->min_price = first ? bid.price : std::min(totals->min_price, bid.price);
  totals->max_price = first ? bid.price : std::max(totals->max_price, bid.price);
  totals->sum_price += bid.price;
}

// What a row of the view must say, by to_text().
std::string row_of(int64_t auction, int64_t day, const Totals& totals) {
  const int64_t millionths = 1'000'000;
  // Half up; the product fits 128 bits easily.
  const __int128 scaled = static_cast<__int128>(totals.sum_price) * millionths * 2 + totals.bids;
  const auto average = static_cast<int64_t>(scaled / (2 * totals.bids));
  std::string fraction = std::to_string(average % millionths);
  fraction.insert(0, 6 - fraction.size(), '0');
  return absl::StrCat(auction, "|", day, "|", totals.bids, "|", totals.rank1, "|", totals.rank2,
                      "|", totals.rank3, "|", totals.min_price, "|", totals.max_price, "|",
                      average / millionths, ".", fraction, "|", totals.sum_price);
}

Check check_for(const Bids& bids) {
  return [=](runtime::ViewReader& reader) -> absl::Status {
    std::unordered_map<int64_t, std::map<int64_t, Totals>> expected;
    size_t groups = 0;
    bids([&](const Bid& bid) {
      Totals& totals = expected[bid.auction][bid.date_time_us / kMicrosPerDay];
      groups += totals.bids == 0;
      add_bid(bid, &totals);
    });
    size_t rows = 0;
    const absl::Status seen = for_each_row(reader, "auction_days", [&](const Row& row) {
      ++rows;
      const int64_t auction = std::get<int64_t>(row[0].data);
      const int32_t day = std::get<int32_t>(row[1].data);
      std::string line = absl::StrCat(auction, "|", day);
      for (size_t c = 2; c < row.size(); ++c) absl::StrAppend(&line, "|", to_text(row[c]));
      const std::string right = row_of(auction, day, expected[auction][day]);
      if (line == right) return absl::OkStatus();
      return absl::InternalError(absl::StrCat("the view says ", line, ", right is ", right));
    });
    if (!seen.ok() || rows == groups) return seen;
    return absl::InternalError(absl::StrCat("the view has ", rows, " rows, not ", groups));
  };
}

absl::StatusOr<Result> run(const Options& options) {
  return run_generated(aggregate_query(), {}, options);
}
absl::StatusOr<Result> run_uniform(const Options& options) {
  return run_generated(aggregate_query(), {.uniform = 300'000}, options);
}

const bool added =
    add({"aggregate", "Nexmark 17: bids per auction and day, durable", 4'600'000, run}) &&
    add({"aggregate-uniform", "the same over 300,000 uniform auctions", 4'600'000, run_uniform});

}  // namespace

BidQuery aggregate_query() {
  BidQuery query;
  query.product.sql = kSql;
  query.check_for = check_for;
  return query;
}

}  // namespace kappa::bench
