#include "operators/timers.h"

#include <algorithm>
#include <tuple>

namespace kappa::operators {

RowPlace timer_place(const WatermarkTrack& track, int64_t due_us) {
  const auto at = std::lower_bound(track.begin(), track.end(), due_us) - track.begin();
  return RowPlace::of_timer(at > 0 ? static_cast<uint32_t>(at - 1) : 0);
}

TimerOwner TimerOwner::of(const Plan& plan, NodeId node) {
  std::vector<uint16_t> depths;
  for (NodeId id = 0; id <= node; ++id) {
    uint16_t depth = 0;
    for (NodeId input : plan.node(id).inputs) {
      depth = std::max(depth, static_cast<uint16_t>(depths[input] + 1));
    }
    depths.push_back(depth);
  }
  return {depths.back(), node};
}

namespace {

// Ascending bytes are ascending numbers.
template <typename T>
void append_big_endian(T number, std::string* out) {
  for (size_t shift = 8 * sizeof(T); shift > 0; shift -= 8) {
    out->push_back(static_cast<char>(number >> (shift - 8)));
  }
}

}  // namespace

std::string timer_tie(TimerOwner owner, int64_t due_us, std::string_view key) {
  std::string tie;
  tie.reserve(16 + key.size());
  append_big_endian(owner.depth, &tie);
  append_big_endian(static_cast<uint64_t>(due_us) ^ (uint64_t{1} << 63), &tie);  // the sign flipped
  append_big_endian(owner.node, &tie);
  return tie.append(key).append(sizeof(uint16_t), '\0');
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
