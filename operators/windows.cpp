#include "operators/windows.h"

#include <algorithm>

#include "engine/types/time.h"
#include "operators/late_row.h"

namespace kappa::operators {

using Kind = GroupWindow::Kind;

int64_t window_start(const GroupWindow& window, int64_t name) {
  if (!named_by_end(window)) return name;
  return floor_to_step(name - 1, window.size_us, window.offset_us);
}

int64_t window_end(const GroupWindow& window, int64_t name) {
  return named_by_end(window) ? name : saturating_add(name, window.size_us);
}

WindowNames windows_of(const GroupWindow& window, int64_t time_us) {
  const auto floor_to = [&](int64_t time, int64_t step_us) {
    return floor_to_step(time, step_us, window.offset_us);
  };
  if (window.kind == Kind::kHop) {
    const int64_t step = window.step_us;
    return {floor_to(saturating_add(time_us, -window.size_us), step) + step,
            floor_to(time_us, step), step};
  }
  const int64_t start = floor_to(time_us, window.size_us);
  if (window.kind == Kind::kTumble) return {start, start, window.size_us};
  const int64_t step = window.step_us;
  return {start + ((time_us - start) / step + 1) * step, start + window.size_us, step};
}

int64_t windows_of_a_time_max(const GroupWindow& window) {
  if (window.step_us == 0) return 1;
  return (window.size_us + window.step_us - 1) / window.step_us;
}

int64_t closes_at(const GroupWindow& window, int64_t end_us) {
  return saturating_add(end_us, held_back_us(window));
}

int64_t expires_at(const GroupWindow& window, int64_t end_us, int64_t retention_us) {
  return saturating_add(end_us, std::max(held_back_us(window), retention_us));
}

int64_t held_back_us(const GroupWindow& window) {
  return window.kind == Kind::kSession ? saturating_add(window.grace_us, 1) : window.grace_us;
}

void spread_over_windows(const GroupWindow& window, const Batch& input, size_t begin, size_t end,
                         const WatermarkTrack& watermark, WindowedRows* open,
                         WindowedRows* closed) {
  const auto times = input.columns[static_cast<size_t>(window.event_time)]->values<int64_t>();
  for (size_t i = begin; i < end; ++i) {
    const int64_t watermark_us = watermark[input.places[i].track_index()];
    const WindowNames names = windows_of(window, times[i]);
    for (int64_t name = names.first; name <= names.last; name += names.step) {
      const bool refused = closes_at(window, window_end(window, name)) <= watermark_us;
      WindowedRows& to = refused ? *closed : *open;
      to.rows.push_back(static_cast<uint32_t>(i));
      to.names.push_back(name);
    }
  }
}

void refuse_windows(const GroupWindow& window, const Schema& schema, const Batch& input,
                    const WindowedRows& closed, NodeId node, const OperatorContext& context) {
  if (closed.rows.empty()) return;
  Batch refused = gather(input, closed.rows);
  Schema bounded = schema;
  for (const bool ends : {false, true}) {
    Column bound(Type::timestamptz(), refused.rows);
    for (size_t i = 0; i < refused.rows; ++i) {
      const int64_t name = closed.names[i];
      bound.values<int64_t>()[i] = ends ? window_end(window, name) : window_start(window, name);
    }
    refused.columns.push_back(std::make_shared<const Column>(std::move(bound)));
    bounded.push_back({ends ? "window_end" : "window_start", Type::timestamptz()});
  }
  for (size_t i = 0; i < refused.rows; ++i) {
    if (!refused.signs.empty() && refused.signs[i] < 0) continue;
    context.side.push_back(late_row(bounded, refused, i, node));
  }
}

}  // namespace kappa::operators
