#include <cmath>
#include <limits>

#include "engine/types/datetime.h"
#include "engine/types/time.h"
#include "operators/cast.h"
#include "operators/functions_kernel.h"

// Arithmetic on timestamptz, date and interval. Everything is UTC, and an interval is a number of
// microseconds, so a day is 24 hours.
namespace kappa::operators {
namespace {

constexpr const char* kTimestampRange = "timestamp out of range: years 0001 to 9999";
constexpr const char* kDateRange = "date out of range: years 0001 to 9999";
constexpr const char* kIntervalRange = "interval out of range";

int64_t wrapped_sum(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t wrapped_difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// A timestamp lies so far from the ends of int64_t that a sum which wrapped is not one either,
// unless the interval is near the ends itself; hence the second test.
bool leaves_timestamps(int64_t result, int64_t interval) {
  constexpr int64_t kLongest = kTimestampMax - kTimestampMin;
  return (result < kTimestampMin) | (result > kTimestampMax) | (interval > kLongest) |
         (interval < -kLongest);
}

void add_to_timestamp(const KernelCall& call) {
  map_checked<int64_t, int64_t, int64_t>(
      call,
      [](int64_t time, int64_t interval, uint64_t& bad) {
        const int64_t result = wrapped_sum(time, interval);
        bad |= leaves_timestamps(result, interval) ? 1u : 0u;
        return result;
      },
      [](int64_t, int64_t) { return kTimestampRange; });
}

void add_timestamp_to(const KernelCall& call) {
  const KernelArg swapped[] = {call.args[1], call.args[0]};
  add_to_timestamp({swapped, call.selection, call.out, call.arena, call.errors, call.state});
}

void subtract_from_timestamp(const KernelCall& call) {
  map_checked<int64_t, int64_t, int64_t>(
      call,
      [](int64_t time, int64_t interval, uint64_t& bad) {
        const int64_t result = wrapped_difference(time, interval);
        bad |= leaves_timestamps(result, interval) ? 1u : 0u;
        return result;
      },
      [](int64_t, int64_t) { return kTimestampRange; });
}

void subtract_timestamps(const KernelCall& call) {
  map_checked<int64_t, int64_t, int64_t>(
      call,
      [](int64_t a, int64_t b, uint64_t& bad) {
        int64_t result = 0;
        bad |= __builtin_sub_overflow(a, b, &result) ? 1u : 0u;
        return result;
      },
      [](int64_t, int64_t) { return kIntervalRange; });
}

int32_t checked_date(RowScope& scope, int64_t days) {
  if (days < kDateMin || days > kDateMax) scope.fail(kDateRange);
  return static_cast<int32_t>(days);
}
int32_t date_plus_days(RowScope& scope, int32_t date, int32_t days) {
  return checked_date(scope, int64_t{date} + days);
}
int32_t days_plus_date(RowScope& scope, int32_t days, int32_t date) {
  return checked_date(scope, int64_t{date} + days);
}
int32_t date_minus_days(RowScope& scope, int32_t date, int32_t days) {
  return checked_date(scope, int64_t{date} - days);
}
int32_t date_minus_date(RowScope& scope, int32_t a, int32_t b) {
  int32_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) scope.fail("integer out of range");
  return result;
}
int64_t date_plus_interval(RowScope& scope, int32_t date, int64_t interval) {
  const int64_t result = wrapped_sum(date * kMicrosPerDay, interval);
  if (leaves_timestamps(result, interval)) scope.fail(kTimestampRange);
  return result;
}
int64_t interval_plus_date(RowScope& scope, int64_t interval, int32_t date) {
  return date_plus_interval(scope, date, interval);
}
int64_t date_minus_interval(RowScope& scope, int32_t date, int64_t interval) {
  const int64_t result = wrapped_difference(date * kMicrosPerDay, interval);
  if (leaves_timestamps(result, interval)) scope.fail(kTimestampRange);
  return result;
}

int64_t interval_plus_interval(RowScope& scope, int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) scope.fail(kIntervalRange);
  return result;
}
int64_t interval_minus_interval(RowScope& scope, int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_sub_overflow(a, b, &result)) scope.fail(kIntervalRange);
  return result;
}
int64_t negated_interval(RowScope& scope, int64_t interval) {
  return interval_minus_interval(scope, 0, interval);
}

// To whole microseconds, half to even.
int64_t rounded_micros(RowScope& scope, double us, const char* message) {
  constexpr double kEnd = 9223372036854775808.0;
  const double rounded = std::nearbyint(us);
  if (rounded >= -kEnd && rounded < kEnd) return static_cast<int64_t>(rounded);
  scope.fail(message);
  return 0;
}
int64_t interval_times(RowScope& scope, int64_t interval, double factor) {
  return rounded_micros(scope, static_cast<double>(interval) * factor, kIntervalRange);
}
int64_t times_interval(RowScope& scope, double factor, int64_t interval) {
  return interval_times(scope, interval, factor);
}
int64_t interval_divided(RowScope& scope, int64_t interval, double divisor) {
  if (divisor == 0) {
    scope.fail("division by zero");
    return 0;
  }
  return rounded_micros(scope, static_cast<double>(interval) / divisor, kIntervalRange);
}

int64_t timestamp_of_seconds(RowScope& scope, double seconds) {
  const double us = seconds * static_cast<double>(kMicrosPerSecond);
  const int64_t result = rounded_micros(scope, us, kTimestampRange);
  if (result < kTimestampMin || result > kTimestampMax) scope.fail(kTimestampRange);
  return result;
}

int32_t date_of_parts(RowScope& scope, int32_t year, int32_t month, int32_t day) {
  const bool near = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  const int64_t days = near ? days_from_civil({year, month, day}) : 0;
  if (!near || civil_from_days(days).day != day) {
    scope.fail([&] {
      return "date field value out of range: " + std::to_string(year) + "-" +
             std::to_string(month) + "-" + std::to_string(day);
    });
    return 0;
  }
  return static_cast<int32_t>(days);
}

void add(FunctionList& list, const char* name, std::vector<Type> args, const Type& result,
         ScalarKernel kernel) {
  ScalarFunction function;
  function.name = name;
  function.args = std::move(args);
  function.result = result;
  function.kernel = kernel;
  list.push_back(std::move(function));
}

}  // namespace

void add_time_functions(FunctionList& list) {
  const Type time = Type::timestamptz();
  const Type date = Type::date();
  const Type span = Type::interval();
  const Type number = Type::double_precision();
  const Type integer = Type::integer();
  add(list, "+", {time, span}, time, &add_to_timestamp);
  add(list, "+", {span, time}, time, &add_timestamp_to);
  add(list, "-", {time, span}, time, &subtract_from_timestamp);
  add(list, "-", {time, time}, span, &subtract_timestamps);
  add(list, "+", {date, integer}, date, row_kernel<date_plus_days>);
  add(list, "+", {integer, date}, date, row_kernel<days_plus_date>);
  add(list, "-", {date, integer}, date, row_kernel<date_minus_days>);
  add(list, "-", {date, date}, integer, row_kernel<date_minus_date>);
  add(list, "+", {date, span}, time, row_kernel<date_plus_interval>);
  add(list, "+", {span, date}, time, row_kernel<interval_plus_date>);
  add(list, "-", {date, span}, time, row_kernel<date_minus_interval>);
  add(list, "+", {span, span}, span, row_kernel<interval_plus_interval>);
  add(list, "-", {span, span}, span, row_kernel<interval_minus_interval>);
  add(list, "-", {span}, span, row_kernel<negated_interval>);
  add(list, "*", {span, number}, span, row_kernel<interval_times>);
  add(list, "*", {number, span}, span, row_kernel<times_interval>);
  add(list, "/", {span, number}, span, row_kernel<interval_divided>);
  add(list, "to_timestamp", {number}, time, row_kernel<timestamp_of_seconds>);
  add(list, "date", {time}, date, cast_kernel(time, date));
  add(list, "make_date", {integer, integer, integer}, date, row_kernel<date_of_parts>);
}

}  // namespace kappa::operators
