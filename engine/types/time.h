#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace kappa {

// When something happened, in microseconds since 1970-01-01T00:00:00Z. Serves windows and
// watermarks, never the order of records.
struct EventTime {
  int64_t us = std::numeric_limits<int64_t>::min();
  auto operator<=>(const EventTime&) const = default;
};

// "No watermark yet": below every event time.
inline constexpr EventTime kNoEventTime{std::numeric_limits<int64_t>::min()};
// The watermark after an end mark: every window is closed.
inline constexpr EventTime kEndOfTime{std::numeric_limits<int64_t>::max()};

// When a fact was known: record timestamps and journal clocks, in milliseconds since the Unix
// epoch. Decides the order of records.
struct LogTime {
  int64_t ms = std::numeric_limits<int64_t>::min();
  auto operator<=>(const LogTime&) const = default;
};

inline constexpr LogTime kNoLogTime{std::numeric_limits<int64_t>::min()};

inline constexpr int64_t kMicrosPerMilli = 1'000;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

// a + b without wrapping: the result stays at the ends of the range. For watermark arithmetic,
// where "no watermark" and "end of time" must stay what they are.
constexpr int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

}  // namespace kappa
