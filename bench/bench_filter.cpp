// How fast do records pass a stateless filter and projection? Nexmark query 1, the price in another
// currency, of the dearer two thirds of the bids. The rows that come out are summed up rather than
// written anywhere, so this is the ceiling of everything else.
#include <array>
#include <atomic>
#include <memory>

#include "absl/strings/str_cat.h"
#include "bench/bid_queries.h"

namespace kappa::bench {
namespace {

constexpr const char* kSql = R"(
CREATE FOREIGN TABLE bid_eur (auction bigint, bidder bigint, price numeric(24,3),
                              date_time timestamptz)
  SERVER log OPTIONS (topic 'bid_eur', format 'json');
INSERT INTO bid_eur
SELECT auction, bidder, price * 0.908, date_time FROM bid WHERE price >= 10000;
)";

// What the rows add up to, modulo 2^64.
struct Sums {
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> auction{0};
  std::atomic<uint64_t> bidder{0};
  std::atomic<uint64_t> price{0};
  std::atomic<uint64_t> date_time{0};

  std::array<uint64_t, 5> values() const { return {rows, auction, bidder, price, date_time}; }
};

uint64_t sum_of(const Column& column) {
  uint64_t sum = 0;
  dispatch_physical(column.type().physical(), [&]<typename T>() {
    if constexpr (std::is_integral_v<T>) {
      for (const T value : column.values<T>()) sum += static_cast<uint64_t>(value);
    }
  });
  return sum;
}

absl::Status check(Sums& sums, const Bids& bids) {
  Sums right;
  bids([&](const Bid& bid) {
    if (bid.price < 10'000) return;
    right.rows += 1;
    right.auction += static_cast<uint64_t>(bid.auction);
    right.bidder += static_cast<uint64_t>(bid.bidder);
    right.price += static_cast<uint64_t>(bid.price * 908);
    right.date_time += static_cast<uint64_t>(bid.date_time_us / 1000 * 1000);
  });
  const auto seen = sums.values();
  for (auto* sum : {&sums.rows, &sums.auction, &sums.bidder, &sums.price, &sums.date_time}) {
    *sum = 0;
  }
  if (seen == right.values()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the output has ", seen[0], " rows, prices add up to ",
                                          seen[3], "; right are ", right.rows.load(), " and ",
                                          right.price.load()));
}

absl::StatusOr<Result> run(const Options& options) {
  return run_generated(filter_query(), {}, options);
}

const bool added = add({"filter", "Nexmark 1: a stateless filter and projection", 4'600'000, run});

}  // namespace

BidQuery filter_query() {
  const auto sums = std::make_shared<Sums>();
  BidQuery query;
  query.product.sql = kSql;
  query.product.durable = false;
  query.product.on_output = [sums](operators::NodeId, const Batch& batch) {
    sums->rows += batch.rows;
    sums->auction += sum_of(*batch.columns[0]);
    sums->bidder += sum_of(*batch.columns[1]);
    sums->price += sum_of(*batch.columns[2]);
    sums->date_time += sum_of(*batch.columns[3]);
  };
  query.check_for = [sums](const Bids& bids) -> Check {
    return [sums, bids](runtime::ViewReader&) { return check(*sums, bids); };
  };
  return query;
}

}  // namespace kappa::bench
