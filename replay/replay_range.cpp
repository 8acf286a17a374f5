#include "replay/replay_range.h"

#include <algorithm>
#include <set>

namespace kappa::replay {

std::vector<ReplayRange> replay_ranges(
    const operators::Plan& plan, const std::vector<int>& sources,
    const std::vector<TopicRanges>& log,
    const std::vector<std::pair<TopicPartition, Offset>>& place) {
  std::set<std::string> wanted;
  for (int source : sources) wanted.insert(plan.sources[static_cast<size_t>(source)].topic);
  std::vector<ReplayRange> ranges;
  for (const std::string& name : wanted) {
    const auto topic = std::find_if(log.begin(), log.end(), [&](const TopicRanges& candidate) {
      return candidate.topic == name;
    });
    if (topic == log.end()) continue;
    for (size_t p = 0; p < topic->partitions.size(); ++p) {
      const log::PartitionRange& there = topic->partitions[p];
      const Offset first = topic->at_time.empty() ? Offset{0} : topic->at_time[p];
      const Offset from = std::max(there.start, first);
      // Where the log's own first record is not earlier than the start, what is gone may be
      // records that are not earlier either.
      const bool begins_later = there.start < first;
      ReplayRange range{
          {name, static_cast<int32_t>(p)}, from, there.end, begins_later ? 0 : there.start.value};
      const auto live = std::find_if(place.begin(), place.end(),
                                     [&](const auto& at) { return at.first == range.partition; });
      if (live != place.end()) range.to = std::max(from, live->second);
      ranges.push_back(std::move(range));
    }
  }
  return ranges;
}

}  // namespace kappa::replay
