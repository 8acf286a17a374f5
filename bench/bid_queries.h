#pragma once

#include <functional>

#include "bench/product_run.h"

namespace kappa::bench {

// A query over bids, and a check that computes from these what it must have found.
struct BidQuery {
  Product product;
  std::function<Check(const Bids& bids)> check_for;
};

BidQuery filter_query();     // bench_filter.cpp
BidQuery tumble_query();     // bench_tumble.cpp
BidQuery aggregate_query();  // bench_aggregate.cpp
BidQuery sliding_query();    // bench_sliding.cpp
BidQuery features_query();   // likewise, with the keys that it is about

// A bench of a query over generated bids.
absl::StatusOr<Result> run_generated(BidQuery query, const BidKeys& keys, const Options& options);

}  // namespace kappa::bench
