#include "operators/timers.h"

#include <algorithm>
#include <tuple>

namespace kappa::operators {

RowPlace timer_place(const WatermarkTrack& track, int64_t due_us) {
  const auto at = std::lower_bound(track.begin(), track.end(), due_us) - track.begin();
  return RowPlace::of_timer(at > 0 ? static_cast<uint32_t>(at - 1) : 0);
}

uint16_t timer_depth(const Plan& plan, NodeId node) {
  std::vector<uint16_t> depths;
  for (NodeId id = 0; id <= node; ++id) {
    uint16_t depth = 0;
    for (NodeId input : plan.node(id).inputs) {
      depth = std::max(depth, static_cast<uint16_t>(depths[input] + 1));
    }
    depths.push_back(depth);
  }
  return depths.back();
}

std::string timer_tie(uint16_t depth, int64_t due_us, std::string_view key) {
  // Big-endian, the time's sign flipped: ascending bytes are ascending numbers.
  std::string tie(10, '\0');
  tie[0] = static_cast<char>(depth >> 8);
  tie[1] = static_cast<char>(depth);
  const uint64_t bits = static_cast<uint64_t>(due_us) ^ (uint64_t{1} << 63);
  for (size_t i = 0; i < 8; ++i) tie[2 + i] = static_cast<char>(bits >> (56 - 8 * i));
  return tie.append(key);
}

std::vector<TimerRow> timer_rows(const state::Table& table, std::span<const state::RowId> ids,
                                 const std::function<bool(const std::byte* row)>& belongs) {
  std::vector<TimerRow> rows;
  std::string value;
  for (state::RowId id : ids) {
    if (!table.live(id) || !belongs(table.row(id))) continue;
    TimerRow row{{}, id};
    table.encode(table.row(id), &row.key, &value);
    rows.push_back(std::move(row));
  }
  std::sort(rows.begin(), rows.end(), [](const TimerRow& a, const TimerRow& b) {
    return std::tie(a.key, a.id) < std::tie(b.key, b.id);
  });
  const auto same = [](const TimerRow& a, const TimerRow& b) { return a.id == b.id; };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
  return rows;
}

}  // namespace kappa::operators
