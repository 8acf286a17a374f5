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
  // Of a replay that begins at a time: in each partition the first record that is not earlier, or
  // the end. Empty: it begins at the start.
  std::vector<Offset> at_time = {};
};

// What a replay reads of one partition, to come to where the live generation stands.
struct ReplayRange {
  TopicPartition partition;
  Offset from;  // the first that the log still has, and that is not earlier than the replay's start
  Offset to;    // the live generation's place; of a topic that it does not read, the log's end
  // Offsets before `from` that the log no longer has. The live generation may have seen records
  // there, which a replay cannot. Of one that begins at a time: 0 if the log still has an earlier
  // record, for then it has all that are not.
  int64_t missing = 0;
  // At most: offsets have gaps where the log has transactions or compaction.
  int64_t records() const { return to.value - from.value; }
};

// Of the partitions of these sources of a plan (indexes), by topic and partition. `place` is the
// live generation's. A topic that the log does not have yet has no ranges.
std::vector<ReplayRange> replay_ranges(const operators::Plan& plan, const std::vector<int>& sources,
                                       const std::vector<TopicRanges>& log,
                                       const std::vector<std::pair<TopicPartition, Offset>>& place);

}  // namespace kappa::replay
