// How fast does a stream look a durable view up? Each bid finds its auction among 100k, by key, and
// is counted by the auction's category, while one auction in fifty bids changes its own.
#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bid_log.h"
#include "bench/product_run.h"
#include "engine/types/status_macros.h"

namespace kappa::bench {
namespace {

constexpr int64_t kAuctions = 100'000;
constexpr BidKeys kKeys{.uniform = kAuctions};
constexpr int64_t kFirstAuction = 1'000;
constexpr int64_t kCategories = 500;
constexpr int64_t kBidsPerChange = 50;

constexpr const char* kSql = R"(
CREATE FOREIGN TABLE auction (id bigint, category bigint, reserve bigint)
  SERVER log OPTIONS (topic 'auction', format 'json');
CREATE MATERIALIZED VIEW auctions WITH (key = 'id') AS SELECT id, category, reserve FROM auction;
CREATE MATERIALIZED VIEW categories AS
SELECT a.category, count(*) AS bids, sum(b.price) AS price,
       count(*) FILTER (WHERE b.price >= a.reserve) AS reached
FROM bid b JOIN auctions a ON a.id = b.auction GROUP BY a.category;
)";

// What an auction is after its `change`, counted from 0.
struct Auction {
  int64_t category = 0;
  int64_t reserve = 0;
};

Auction auction_after(int64_t auction, int64_t change) {
  return {(auction * 31 + change) % kCategories, (auction * 7919 + change) % 10'000'000};
}

// Change number `n` (from 1), which comes with bid n * kBidsPerChange, before it.
int64_t auction_of_change(int64_t n) {
  return kFirstAuction + n * 7919 % kAuctions;
}
int64_t bid_ms(int64_t bid) {
  return nexmark_bid(bid, kKeys).date_time_us / 1000;
}

absl::StatusOr<int64_t> add_auctions(log::EmbeddedLog& log, int64_t bids) {
  KAPPA_RETURN_IF_ERROR(log.create_topic("auction", {}));
  std::vector<std::string> values;
  std::vector<int64_t> times_ms;
  const auto add = [&](int64_t id, int64_t change, int64_t time_ms) {
    const Auction auction = auction_after(id, change);
    values.push_back(absl::StrCat(R"({"id":)", id, R"(,"category":)", auction.category,
                                  R"(,"reserve":)", auction.reserve, "}"));
    times_ms.push_back(time_ms);
  };
  const int64_t before_ms = bid_ms(0) - 1;
  for (int64_t i = 0; i < kAuctions; ++i) add(kFirstAuction + i, 0, before_ms);
  for (int64_t n = 1; n * kBidsPerChange < bids; ++n) {
    add(auction_of_change(n), n, bid_ms(n * kBidsPerChange));
  }
  constexpr size_t kBatchRecords = 4'000;
  for (size_t begin = 0; begin < values.size(); begin += kBatchRecords) {
    std::vector<log::RecordToAppend> batch(std::min(kBatchRecords, values.size() - begin));
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].value = values[begin + i];
      batch[i].timestamp = LogTime{times_ms[begin + i]};
      batch[i].partition = 0;
    }
    KAPPA_RETURN_IF_ERROR(log.append("auction", batch).status());
  }
  return static_cast<int64_t>(values.size());
}

struct Totals {
  int64_t bids = 0;
  int64_t price = 0;
  int64_t reached = 0;
  bool operator==(const Totals&) const = default;
};

// Auctions come before bids of the same millisecond, by the names of their topics.
std::map<int64_t, Totals> totals_of(int64_t bids) {
  std::vector<Auction> auctions;
  for (int64_t i = 0; i < kAuctions; ++i) auctions.push_back(auction_after(kFirstAuction + i, 0));
  std::map<int64_t, Totals> totals;
  int64_t next = 1;
  for (int64_t b = 0; b < bids; ++b) {
    const Bid bid = nexmark_bid(b, kKeys);
    while (next * kBidsPerChange < bids && bid_ms(next * kBidsPerChange) <= bid_ms(b)) {
      const int64_t id = auction_of_change(next);
      auctions[static_cast<size_t>(id - kFirstAuction)] = auction_after(id, next);
      ++next;
    }
    const Auction& auction = auctions[static_cast<size_t>(bid.auction - kFirstAuction)];
    Totals& sums = totals[auction.category];
    ++sums.bids;
    sums.price += bid.price;
    sums.reached += bid.price >= auction.reserve;
  }
  return totals;
}

Check check_for(int64_t bids) {
  return [=](runtime::ViewReader& reader) -> absl::Status {
    const std::map<int64_t, Totals> expected = totals_of(bids);
    size_t rows = 0;
    const absl::Status seen = for_each_row(reader, "categories", [&](const Row& row) {
      ++rows;
      const int64_t category = std::get<int64_t>(row[0].data);
      const auto right = expected.find(category);
      const std::string line = absl::StrCat(std::get<int64_t>(row[1].data), "|", to_text(row[2]),
                                            "|", std::get<int64_t>(row[3].data));
      const Totals sums = right == expected.end() ? Totals() : right->second;
      if (line == absl::StrCat(sums.bids, "|", sums.price, "|", sums.reached)) {
        return absl::OkStatus();
      }
      return absl::InternalError(absl::StrCat("category ", category, " has ", line, ", right is ",
                                              sums.bids, "|", sums.price, "|", sums.reached));
    });
    if (!seen.ok() || rows == expected.size()) return seen;
    return absl::InternalError(absl::StrCat("the view has ", rows, " rows, not ", expected.size()));
  };
}

absl::StatusOr<Result> run(const Options& options) {
  Product product;
  product.sql = kSql;
  product.keys = kKeys;
  product.add_records = add_auctions;
  return check_and_run(product, options, check_for);
}

const bool added =
    add({"lookup", "bids look 100,000 changing auctions up and are counted by category, durable",
         4'600'000, run});

}  // namespace
}  // namespace kappa::bench
