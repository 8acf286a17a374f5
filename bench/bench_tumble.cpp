// How fast do durable tumbling windows take records? Count and highest price of an auction in
// windows of 10 seconds, over 10k uniform auctions.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr BidKeys kKeys{.uniform = 10'000};
constexpr int64_t kWindowUs = 10 * kMicrosPerSecond;

constexpr const char* kSql = R"(
CREATE MATERIALIZED VIEW auction_windows AS
SELECT window_start, auction, count(*) AS bids, max(price) AS max_price
FROM tumble(bid, date_time, INTERVAL '10 seconds') GROUP BY window_start, auction;
)";

struct Window {
  int64_t bids = 0;
  int64_t max_price = 0;
  bool operator==(const Window&) const = default;
};

Check check_for(const Bids& bids) {
  return [=](runtime::ViewReader& reader) -> absl::Status {
    std::map<std::pair<int64_t, int64_t>, Window> expected;
    bids([&](const Bid& bid) {
      Window& window = expected[{bid.date_time_us / kWindowUs * kWindowUs, bid.auction}];
      ++window.bids;
      window.max_price = std::max(window.max_price, bid.price);
    });
    size_t rows = 0;
    const absl::Status seen = for_each_row(reader, "auction_windows", [&](const Row& row) {
      ++rows;
      const int64_t start = std::get<int64_t>(row[0].data);
      const int64_t auction = std::get<int64_t>(row[1].data);
      const Window window{std::get<int64_t>(row[2].data), std::get<int64_t>(row[3].data)};
      const Window right = expected[{start, auction}];
      if (window == right) return absl::OkStatus();
      return absl::InternalError(absl::StrCat(
          "window ", start, " of auction ", auction, " has ", window.bids, " bids up to ",
          window.max_price, ", right is ", right.bids, " up to ", right.max_price));
    });
    if (!seen.ok() || rows == expected.size()) return seen;
    return absl::InternalError(absl::StrCat("the view has ", rows, " rows, not ", expected.size()));
  };
}

absl::StatusOr<Result> run(const Options& options) {
  return run_generated(tumble_query(), kKeys, options);
}

const bool added =
    add({"tumble", "count and maximum per key in 10-second windows, 10,000 keys, durable",
         4'600'000, run});

}  // namespace

BidQuery tumble_query() {
  BidQuery query;
  query.product.sql = kSql;
  query.check_for = check_for;
  return query;
}

}  // namespace kappa::bench
