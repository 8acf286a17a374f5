#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/log/log.h"
#include "engine/types/record.h"
#include "operators/plan.h"

namespace kappa::replay {

// A topic as the log has it: its partitions, by number.
struct TopicRanges {
  std::string topic;
  std::vector<log::PartitionRange> partitions;
};

// What a replay reads of one partition, to come to where the live generation stands.
struct ReplayRange {
  TopicPartition partition;
  Offset from;  // the first that the log still has
  Offset to;    // the live generation's place; of a topic that it does not read, the log's end
  // At most: offsets have gaps where the log has transactions or compaction.
  int64_t records() const { return to.value - from.value; }
  // Offsets before `from` that the log no longer has. The live generation may have seen records
  // there, which a replay cannot.
  int64_t missing() const { return from.value; }
};

// Of the partitions of these sources of a plan (indexes), by topic and partition. `place` is the
// live generation's. A topic that the log does not have yet has no ranges.
std::vector<ReplayRange> replay_ranges(const operators::Plan& plan, const std::vector<int>& sources,
                                       const std::vector<TopicRanges>& log,
                                       const std::vector<std::pair<TopicPartition, Offset>>& place);

}  // namespace kappa::replay
