#pragma once

#include <cstdint>
#include <vector>

#include "operators/operator.h"
#include "operators/plan.h"

// The arithmetic of windows. They are aligned to the epoch plus an offset, before 1970 as after it,
// so every time is in as many windows as every other.
//
//   tumble     |─────|─────|        one window a time
//   hop        |─────|              those that begin every `step` and hold the time
//                 |─────|
//   cumulate   |─|                  of one start, those that end every `step` after the time
//              |───|
//              |─────|
//   session    where the rows of a group are: operators/session.h
namespace kappa::operators {

// A fixed window is named by one of its bounds: its start, or with cumulate its end, which says
// where it starts but not the other way round.
inline bool named_by_end(const GroupWindow& window) {
  return window.kind == GroupWindow::Kind::kCumulate;
}
int64_t window_start(const GroupWindow& window, int64_t name);
int64_t window_end(const GroupWindow& window, int64_t name);

// The last multiple of `step_us`, counted from `offset_us`, that is not above the time.
inline int64_t floor_to_step(int64_t time_us, int64_t step_us, int64_t offset_us) {
  int64_t into = (time_us - offset_us) % step_us;
  if (into < 0) into += step_us;
  return time_us - into;
}

// The names of the windows that hold a time: `first`, `first` + `step` and so on to `last`.
struct WindowNames {
  int64_t first;
  int64_t last;
  int64_t step;
};
WindowNames windows_of(const GroupWindow& window, int64_t time_us);
// The most windows that hold one time.
int64_t windows_of_a_time_max(const GroupWindow& window);

// The watermark at which a window with this end is closed: from there on it refuses rows, and its
// result is final. A session's comes a microsecond later, since a row at its end still belongs to
// it.
int64_t closes_at(const GroupWindow& window, int64_t end_us);
// The watermark at which a window's row is no longer kept, not before it is closed.
int64_t expires_at(const GroupWindow& window, int64_t end_us, int64_t retention_us);
// How far the watermark on the windows' rows, whose time is their end - 1 µs, is behind that on the
// input: so far that no change to a window that is open is late downstream.
int64_t held_back_us(const GroupWindow& window);

// Rows of a batch, each once for a window.
struct WindowedRows {
  std::vector<uint32_t> rows;
  std::vector<int64_t> names;
};
// Rows [begin, end) of a batch in each of their windows, ascending by row and window; those windows
// that are closed at the row's place are given apart.
void spread_over_windows(const GroupWindow& window, const Batch& input, size_t begin, size_t end,
                         const WatermarkTrack& watermark, WindowedRows* open, WindowedRows* closed);
// Notes the rows for the late output of a node, with the bounds of the window that refused them:
// there may be others that took them. `schema` is that of the input. Retractions are not noted.
void refuse_windows(const GroupWindow& window, const Schema& schema, const Batch& input,
                    const WindowedRows& closed, NodeId node, const OperatorContext& context);

}  // namespace kappa::operators
