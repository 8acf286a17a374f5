// How fast do durable sessions take records? Count and highest price of a bidder's sessions of
// bids, as Nexmark query 11, but with gaps of 100 milliseconds, so that a bidder has several: most
// have 11 bids within half a second, and one has three quarters of all for a while.
#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/product_run.h"
#include "engine/types/time.h"

namespace kappa::bench {
namespace {

constexpr int64_t kGapUs = 100 * kMicrosPerMilli;

constexpr const char* kSql = R"(
CREATE MATERIALIZED VIEW bidder_sessions AS
SELECT bidder, window_start, window_end, count(*) AS bids, max(price) AS max_price
FROM session(bid, date_time, INTERVAL '100 milliseconds')
GROUP BY bidder, window_start, window_end;
)";

struct Bidding {
  int64_t end = 0;
  int64_t bids = 0;
  int64_t max_price = 0;
  bool operator==(const Bidding&) const = default;
};

// By bidder and start.
using Sessions = std::map<std::pair<int64_t, int64_t>, Bidding>;

Sessions sessions_of(int64_t records) {
  std::map<int64_t, std::vector<std::pair<int64_t, int64_t>>> bids;  // by bidder: time, price
  for (int64_t n = 0; n < records; ++n) {
    const Bid bid = nexmark_bid(n, {});
    const int64_t time = bid.date_time_us / kMicrosPerMilli * kMicrosPerMilli;
    bids[bid.bidder].emplace_back(time, bid.price);
  }
  Sessions sessions;
  for (auto& [bidder, all] : bids) {
    std::sort(all.begin(), all.end());
    Bidding* session = nullptr;
    for (const auto& [time, price] : all) {
      if (!session || time > session->end) session = &sessions[{bidder, time}];
      session->end = time + kGapUs;
      ++session->bids;
      session->max_price = std::max(session->max_price, price);
    }
  }
  return sessions;
}

Check check_for(int64_t records) {
  return [=](runtime::ViewReader& reader) -> absl::Status {
    const Sessions expected = sessions_of(records);
    size_t rows = 0;
    const absl::Status seen = for_each_row(reader, "bidder_sessions", [&](const Row& row) {
      ++rows;
      const int64_t bidder = std::get<int64_t>(row[0].data);
      const int64_t start = std::get<int64_t>(row[1].data);
      const Bidding session{std::get<int64_t>(row[2].data), std::get<int64_t>(row[3].data),
                            std::get<int64_t>(row[4].data)};
      const auto right = expected.find({bidder, start});
      if (right == expected.end()) {
        return absl::InternalError(absl::StrCat("bidder ", bidder, " has no session at ", start));
      }
      if (session == right->second) return absl::OkStatus();
      return absl::InternalError(absl::StrCat(
          "the session of bidder ", bidder, " at ", start, " has ", session.bids, " bids up to ",
          session.max_price, " and ends at ", session.end, ", right is ", right->second.bids,
          " up to ", right->second.max_price, " and ", right->second.end));
    });
    if (!seen.ok() || rows == expected.size()) return seen;
    return absl::InternalError(absl::StrCat("the view has ", rows, " rows, not ", expected.size()));
  };
}

absl::StatusOr<Result> run(const Options& options) {
  Product product;
  product.sql = kSql;
  return check_and_run(product, options, check_for);
}

const bool added =
    add({"session", "count and maximum of a bidder's sessions, durable", 4'600'000, run});

}  // namespace
}  // namespace kappa::bench
