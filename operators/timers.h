#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/operator.h"
#include "state/table.h"

// What is common to operators that the watermark sets off: a timer is due at a time, and fires at
// the place where the watermark reaches it, before the record of that place.
//
//   rows of timers upstream at a place ─► own timers due there, by (due time, key) ─► its record
namespace kappa::operators {

// Where a timer fires in the epoch of `track`, which reaches it.
RowPlace timer_place(const WatermarkTrack& track, int64_t due_us);

// Whose timer it is.
struct TimerOwner {
  uint16_t depth;  // how far the node is from the sources: it fires after those of nodes below it
  NodeId node;

  static TimerOwner of(const Plan& plan, NodeId node);
};

// The tie of what a timer gives out for a key: ascending by depth, due time, node and key. So rows
// that a node passes on from timers below come before its own. None begins another. Its last two
// bytes are zero: the exchange puts more before them, and counts there how much (u16 BE).
std::string timer_tie(TimerOwner owner, int64_t due_us, std::string_view key);

// A row that a timer concerns.
struct TimerRow {
  std::string key;  // as it is stored
  state::RowId id;
};

// Those of `ids` that are live and belong to the timer, once each, by key. (A row that went away
// leaves its id behind, which may be another's by now.)
std::vector<TimerRow> timer_rows(const state::Table& table, std::span<const state::RowId> ids,
                                 const std::function<bool(const std::byte* row)>& belongs);

// Goes through rows and timers in the order in which they take effect. `places` are the rows',
// ascending. `next` gives the time that the next timer is due, ascending, std::nullopt once none is
// in this epoch; it is asked after the timer before has fired. Calls apply(begin, end) for
// stretches of rows, none of which is empty, and fire(place) between them, for the timer given
// last.
template <typename Next, typename Apply, typename Fire>
void run_timers(std::span<const RowPlace> places, const WatermarkTrack& track, Next next,
                Apply apply, Fire fire) {
  size_t begin = 0;
  while (const std::optional<int64_t> due = next()) {
    const RowPlace place = timer_place(track, *due);
    const auto rest = places.subspan(begin);
    const auto end = begin + static_cast<size_t>(std::upper_bound(rest.begin(), rest.end(), place) -
                                                 rest.begin());
    if (end > begin) apply(begin, end);
    begin = end;
    fire(place);
  }
  if (begin < places.size()) apply(begin, places.size());
}

}  // namespace kappa::operators
