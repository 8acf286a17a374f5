#include "operators/extreme_values.h"

#include <algorithm>
#include <iterator>

#include "engine/types/time.h"

namespace kappa::operators {

void ExtremeValues::enter(state::RowId partition, int64_t time_us, int64_t value,
                          int64_t oldest_us) {
  if (time_us < oldest_us) return;
  if (partitions_.size() <= partition) partitions_.resize(partition + 1);
  Candidates& candidates = partitions_[partition];
  // Most come last.
  auto later = candidates.end();
  while (later != candidates.begin() && std::prev(later)->time_us >= time_us) --later;
  // The first of the later ones is the best of them.
  if (later != candidates.end() && outdoes(later->value, value)) return;
  auto outdone = later;
  if (later != candidates.end() && later->time_us == time_us) ++later;
  while (outdone != candidates.begin() && outdoes(value, std::prev(outdone)->value)) --outdone;
  const auto at = candidates.erase(outdone, later);
  candidates.insert(at, {time_us, value});
  auto kept = candidates.begin();
  while (kept->time_us < oldest_us) ++kept;
  candidates.erase(candidates.begin(), kept);
}

void ExtremeValues::erase(state::RowId partition) {
  if (partition < partitions_.size()) partitions_[partition] = {};
}

ExtremeValues::Found ExtremeValues::best(state::RowId partition, int64_t low_us,
                                         int64_t high_us) const {
  const int64_t beyond = saturating_add(high_us, 1);
  if (partition >= partitions_.size()) return {{}, beyond};
  const Candidates& candidates = partitions_[partition];
  const auto before = [](const Candidate& each, int64_t time_us) { return each.time_us < time_us; };
  const auto first = std::lower_bound(candidates.begin(), candidates.end(), low_us, before);
  auto end = candidates.end();
  while (end != first && std::prev(end)->time_us > high_us) --end;
  Found found;
  if (first != end) found.best = first->value;
  // Whoever comes last is a candidate, so nothing lies beyond the last one.
  if (end == candidates.end()) {
    found.open_from_us = beyond;
  } else {
    found.open_from_us = first == end ? low_us : saturating_add(std::prev(end)->time_us, 1);
  }
  return found;
}

}  // namespace kappa::operators
