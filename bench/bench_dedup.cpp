// How fast are records deduplicated into a durable view? One bid for each auction and bidder: the
// first that came, and, as "dedup-last" (Nexmark 18), the latest. Nexmark's hot keys make two in
// three bids repeat an earlier one's key.
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "bench/bid_log.h"
#include "bench/product_run.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr const char* kFirstSql = R"(
CREATE MATERIALIZED VIEW bids AS
SELECT DISTINCT ON (auction, bidder) auction, bidder, price, date_time FROM bid;
)";

constexpr const char* kLastSql = R"(
CREATE MATERIALIZED VIEW bids AS
SELECT auction, bidder, price, date_time FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction, bidder ORDER BY date_time DESC) AS rn FROM bid
) AS ranked WHERE rn = 1;
)";

struct Kept {
  int64_t number = -1;  // of the bid
  int64_t price = 0;
  int64_t time_ms = 0;
};

// Whether bid `number` comes before another in the order of the log.
bool comes_first(int64_t number, int64_t time_ms, const Kept& other) {
  if (time_ms != other.time_ms) return time_ms < other.time_ms;
  const auto place = [](int64_t n) { return std::pair(n % kBidPartitions, n); };
  return place(number) < place(other.number);
}

using Pairs = std::unordered_map<int64_t, std::unordered_map<int64_t, Kept>>;

Pairs expected_bids(int64_t records, bool last) {
  Pairs pairs;
  for (int64_t n = 0; n < records; ++n) {
    const Bid bid = nexmark_bid(n, {});
    Kept& kept = pairs[bid.auction][bid.bidder];
    const int64_t time_ms = bid.date_time_us / kMicrosPerMilli;
    const bool later = time_ms > kept.time_ms;
    const bool wins = kept.number < 0 || (last && later) ||
                      ((!last || time_ms == kept.time_ms) && comes_first(n, time_ms, kept));
    if (wins) kept = {n, bid.price, time_ms};
  }
  return pairs;
}

Check check_for(int64_t records, bool last) {
  return [=](runtime::ViewReader& reader) -> absl::Status {
    const Pairs expected = expected_bids(records, last);
    size_t count = 0;
    for (const auto& [auction, bidders] : expected) count += bidders.size();
    size_t rows = 0;
    const absl::Status seen = for_each_row(reader, "bids", [&](const Row& row) {
      ++rows;
      const auto number = [&](size_t c) { return std::get<int64_t>(row[c].data); };
      const Kept& right = expected.at(number(0)).at(number(1));
      if (number(2) == right.price && number(3) == right.time_ms * kMicrosPerMilli) {
        return absl::OkStatus();
      }
      return absl::InternalError(absl::StrCat("auction ", number(0), ", bidder ", number(1),
                                              ": the view has a bid of ", number(2), ", right is ",
                                              right.price));
    });
    if (!seen.ok() || rows == count) return seen;
    return absl::InternalError(absl::StrCat("the view has ", rows, " rows, not ", count));
  };
}

absl::StatusOr<Result> run_with(const Options& options, const char* sql, bool last) {
  Product product;
  product.sql = sql;
  return check_and_run(product, options, [=](int64_t records) { return check_for(records, last); });
}

absl::StatusOr<Result> run_first(const Options& options) {
  return run_with(options, kFirstSql, false);
}
absl::StatusOr<Result> run_last(const Options& options) {
  return run_with(options, kLastSql, true);
}

const bool added =
    add({"dedup", "the first bid of each auction and bidder, durable", 4'600'000, run_first}) &&
    add({"dedup-last", "Nexmark 18: the latest one, by ROW_NUMBER()", 4'600'000, run_last});

}  // namespace
}  // namespace kappa::bench
