#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/bench.h"
#include "bench/bid_log.h"
#include "bench/nexmark.h"
#include "engine/log/log.h"
#include "engine/types/record.h"

// Bids in a topic of Kafka: what benches over it have in common.
namespace kappa::bench {

// Of --brokers. InvalidArgument: these or --topic are not given.
absl::StatusOr<std::unique_ptr<log::Log>> open_kafka(const Options& options);

// CREATE FOREIGN TABLE bid of such a topic, with times as Nexmark's own generator writes them.
std::string kafka_bid_table(const std::string& topic);

// Appends `count` of the generator's bids, which topics that keep records by age keep too. Makes
// the topic if need be.
absl::Status load_kafka_bids(log::Log& log, const std::string& topic, int64_t count,
                             const BidKeys& keys);

// A topic as it was when the bench began.
struct KafkaTopic {
  log::Log* log;
  std::string name;
  std::vector<Offset> starts;
  std::vector<Offset> ends;
};
absl::StatusOr<KafkaTopic> look_at_topic(log::Log& log, const std::string& name);

// Reads all of a topic, partition by partition as it comes, and hands over its blocks.
absl::Status read_topic(const KafkaTopic& topic,
                        const std::function<void(int32_t partition, const RecordBlock&)>& see);

// The topic's bids in the order in which a pipeline applies a backlog: by log time, then partition,
// then offset. InvalidArgument: there are none, or one that is no bid.
absl::StatusOr<std::vector<Bid>> bids_of(const KafkaTopic& topic);
// These, which outlive it.
Bids these_bids(const std::vector<Bid>& bids);

}  // namespace kappa::bench
