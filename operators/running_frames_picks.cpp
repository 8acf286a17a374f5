#include <algorithm>
#include <bit>
#include <optional>
#include <span>
#include <type_traits>

#include "engine/types/time.h"
#include "operators/running_frames.h"

// Calls that pick one event of their frame: first_value, last_value and lag.
namespace kappa::operators {

using state::RowId;
using state::Table;

RunningFrames::Choice RunningFrames::choice_of(const Running& running, RowId id, size_t row,
                                               int64_t time_us, int64_t watermark_us) const {
  const int64_t oldest_us = saturating_add(watermark_us, -op_.horizon_us);
  return {.partition = id,
          .own = own_[row],
          .low_us = std::max(saturating_add(time_us, -running.frame.start), oldest_us),
          .high_us = saturating_add(time_us, -running.frame.end),
          .oldest_us = oldest_us};
}

std::optional<int64_t> RunningFrames::pick(const Running& running, const Choice& choice) {
  if (choice.low_us > choice.high_us) return std::nullopt;
  switch (running.pick->function) {
    case FrameFunction::kFirstValue:
      return pick_first(running, choice);
    case FrameFunction::kLastValue:
      return value_of(last_event(running, choice), running.slot);
    default:
      return value_of(event_before(running, choice), running.slot);
  }
}

std::optional<int64_t> RunningFrames::value_of(uint64_t number, size_t slot) const {
  if (number == 0) return std::nullopt;
  const EventHeader& picked = event(number - 1);
  if ((picked.seen >> slot & 1) == 0) return std::nullopt;
  return value_at<int64_t>(picked, values_.slots()[slot].value_offset);
}

// An event that is first stays so until it leaves, but for one that comes late: so a frame that
// moves on looks for its first event only when that has left it.
std::optional<int64_t> RunningFrames::pick_first(const Running& running, const Choice& choice) {
  const RunningValues::Pick& pick = *running.pick;
  std::byte* const partition = values_.partitions().row(choice.partition);
  const bool known = number(partition, pick.first_known) != 0;
  if (!known || choice.low_us < number(partition, pick.first_from) ||
      choice.low_us > number(partition, pick.first_time)) {
    const uint64_t found = first_event(choice);
    if (found == 0) return std::nullopt;
    const EventHeader& first = event(found - 1);
    // A row with an earlier time than others leaves them what they know.
    if (known && choice.low_us < number(partition, pick.first_from)) {
      return first.time_us > choice.high_us ? std::nullopt : value_of(found, running.slot);
    }
    note_first(running, first, choice.low_us, partition);
  }
  if (number(partition, pick.first_time) > choice.high_us) return std::nullopt;
  if (Table::is_null(partition, pick.first_value)) return std::nullopt;
  return number(partition, pick.first_value);
}

void RunningFrames::note_first(const Running& running, const EventHeader& event, int64_t from_us,
                               std::byte* partition) {
  const RunningValues::Pick& pick = *running.pick;
  const bool null = (event.seen >> running.slot & 1) == 0;
  number(partition, pick.first_known) = 1;
  number(partition, pick.first_from) = from_us;
  number(partition, pick.first_time) = event.time_us;
  Table::set_null(partition, pick.first_value, null);
  if (null) return;
  number(partition, pick.first_value) =
      value_at<int64_t>(event, values_.slots()[running.slot].value_offset);
}

void RunningFrames::update_firsts(const EventHeader& event, std::byte* partition) {
  for (size_t each : values_.firsts()) {
    const Running& running = values_.running()[each];
    const RunningValues::Pick& pick = *running.pick;
    if (number(partition, pick.first_known) == 0) continue;
    const int64_t from_us = number(partition, pick.first_from);
    if (event.time_us < from_us || event.time_us >= number(partition, pick.first_time)) continue;
    note_first(running, event, from_us, partition);
  }
}

// ---- finding events -----------------------------------------------------------------------------

void RunningFrames::note_steps(const Choice& choice, uint64_t steps) {
  if (steps <= DisorderIndex::kShortWalk) return;
  const std::byte* const partition = values_.partitions().row(choice.partition);
  index_.note_walk(choice.partition, steps, static_cast<uint64_t>(number(partition, values_.last)),
                   choice.oldest_us);
}

uint64_t RunningFrames::first_event(const Choice& choice) {
  if (const auto* events = index_.find(choice.partition, choice.oldest_us)) {
    const size_t at = events->before(choice.low_us);
    return at < events->size() ? events->at(at).item + 1 : 0;
  }
  const std::byte* const partition = values_.partitions().row(choice.partition);
  uint64_t steps = 0;
  const uint64_t found =
      chain_.first(static_cast<uint64_t>(number(partition, values_.last)), choice.low_us, &steps);
  note_steps(choice, steps);
  return found;
}

uint64_t RunningFrames::last_event(const Running& running, const Choice& choice) {
  if (const auto* events = index_.find(choice.partition, choice.oldest_us)) {
    const size_t beyond = events->before(saturating_add(choice.high_us, 1));
    if (beyond == 0 || events->at(beyond - 1).time_us < choice.low_us) return 0;
    return events->at(beyond - 1).item + 1;
  }
  const std::byte* const partition = values_.partitions().row(choice.partition);
  const state::RowField& from =
      running.enters ? values_.thresholds()[*running.enters].passed : values_.last;
  uint64_t steps = 0;
  const uint64_t found = chain_.last(static_cast<uint64_t>(number(partition, from)), choice.low_us,
                                     choice.high_us, &steps);
  note_steps(choice, steps);
  return found;
}

uint64_t RunningFrames::event_before(const Running& running, const Choice& choice) {
  const EventHeader& own = event(choice.own - 1);
  const auto distance = static_cast<uint64_t>(running.pick->distance);
  uint64_t found = 0;
  if (distance == 0) {
    found = choice.own;
  } else if (const auto* events = index_.find(choice.partition, choice.oldest_us)) {
    const size_t at = events->before({own.time_us, own.number});
    found = at < distance ? 0 : events->at(at - distance).item + 1;
  } else {
    uint64_t steps = 0;
    found = chain_.before(own.previous, distance, choice.low_us, own.time_us, &steps);
    note_steps(choice, steps);
  }
  const auto in_frame = [&](int64_t time_us) {
    return choice.low_us <= time_us && time_us <= choice.high_us;
  };
  return found != 0 && in_frame(event(found - 1).time_us) ? found : 0;
}

// ---- results ------------------------------------------------------------------------------------

Column RunningFrames::picks(const FrameCall& call, size_t running) const {
  const std::vector<int64_t>& there = answers_.counts[running];
  const std::vector<int64_t>& picked = answers_.extremes[running];
  Column column(call.result, there.size());
  dispatch_physical(call.result.physical(), [&]<typename T>() {
    if constexpr (sizeof(T) <= sizeof(int64_t)) {
      const std::span<T> values = column.values<T>();
      for (size_t i = 0; i < values.size(); ++i) {
        if (there[i] == 0) {
          column.set_null(i);
        } else if constexpr (std::is_same_v<T, double>) {
          values[i] = std::bit_cast<double>(picked[i]);
        } else {
          values[i] = static_cast<T>(picked[i]);
        }
      }
    }
  });
  return column;
}

}  // namespace kappa::operators
