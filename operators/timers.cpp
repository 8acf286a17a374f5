#include "operators/timers.h"

#include <algorithm>
#include <tuple>

namespace kappa::operators {

RowPlace timer_place(const WatermarkTrack& track, int64_t due_us) {
  const auto at = std::lower_bound(track.begin(), track.end(), due_us) - track.begin();
  return RowPlace::of_timer(at > 0 ? static_cast<uint32_t>(at - 1) : 0);
}

std::string timer_tie(int64_t due_us, std::string_view key) {
  // Big-endian, sign flipped: ascending bytes are ascending times.
  std::string tie(8, '\0');
  const uint64_t bits = static_cast<uint64_t>(due_us) ^ (uint64_t{1} << 63);
  for (int i = 0; i < 8; ++i) tie[static_cast<size_t>(i)] = static_cast<char>(bits >> (56 - 8 * i));
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
