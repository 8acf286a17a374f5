#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The units of date_trunc and extract. Internal to operators/functions_*.cpp.
namespace kappa::operators {

enum class TimeUnit : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  // For extract only:
  kDayOfWeek,     // Sunday is 0
  kIsoDayOfWeek,  // Monday is 1
  kDayOfYear,
  kIsoYear,
  kEpoch,
};

// PostgreSQL's names in any case, singular and plural: "day", "days", "isodow".
std::optional<TimeUnit> parse_time_unit(std::string_view name);

}  // namespace kappa::operators
