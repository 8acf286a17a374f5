#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "bench/nexmark.h"
#include "engine/log/embedded/embedded_log.h"

namespace kappa::bench {

inline constexpr int32_t kBidPartitions = 4;

// CREATE FOREIGN TABLE bid, with all of a bid's columns declared.
extern const char* const kBidTable;

// Calls what it is given for each of some bids, in the log's order: of one log time, partition by
// partition.
using Bids = std::function<void(const std::function<void(const Bid&)>& see)>;

// The bids of make_bid_log(), with times to the millisecond, in the order in which they are
// applied.
Bids generated_bids(int64_t records, const BidKeys& keys);

// An embedded log in `directory` with the first `records` bids in topic "bid", dealt out to its
// partitions one after another and stamped with their event times, synced.
absl::StatusOr<std::unique_ptr<log::EmbeddedLog>> make_bid_log(const std::string& directory,
                                                               int64_t records,
                                                               const BidKeys& keys);

}  // namespace kappa::bench
