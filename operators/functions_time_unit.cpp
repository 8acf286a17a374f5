#include "operators/functions_time_unit.h"

#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/invariant.h"
#include "engine/types/text.h"
#include "engine/types/time.h"
#include "operators/cast.h"
#include "operators/functions_kernel.h"

// date_trunc, date_bin, extract and date_part, in UTC.
namespace kappa::operators {
namespace {

constexpr std::pair<std::string_view, TimeUnit> kUnits[] = {
    {"microsecond", TimeUnit::kMicrosecond},
    {"microseconds", TimeUnit::kMicrosecond},
    {"us", TimeUnit::kMicrosecond},
    {"millisecond", TimeUnit::kMillisecond},
    {"milliseconds", TimeUnit::kMillisecond},
    {"ms", TimeUnit::kMillisecond},
    {"second", TimeUnit::kSecond},
    {"seconds", TimeUnit::kSecond},
    {"minute", TimeUnit::kMinute},
    {"minutes", TimeUnit::kMinute},
    {"hour", TimeUnit::kHour},
    {"hours", TimeUnit::kHour},
    {"day", TimeUnit::kDay},
    {"days", TimeUnit::kDay},
    {"week", TimeUnit::kWeek},
    {"weeks", TimeUnit::kWeek},
    {"month", TimeUnit::kMonth},
    {"months", TimeUnit::kMonth},
    {"quarter", TimeUnit::kQuarter},
    {"year", TimeUnit::kYear},
    {"years", TimeUnit::kYear},
    {"decade", TimeUnit::kDecade},
    {"decades", TimeUnit::kDecade},
    {"century", TimeUnit::kCentury},
    {"centuries", TimeUnit::kCentury},
    {"millennium", TimeUnit::kMillennium},
    {"millennia", TimeUnit::kMillennium},
    {"dow", TimeUnit::kDayOfWeek},
    {"isodow", TimeUnit::kIsoDayOfWeek},
    {"doy", TimeUnit::kDayOfYear},
    {"isoyear", TimeUnit::kIsoYear},
    {"epoch", TimeUnit::kEpoch}};

constexpr const char* kOutOfRange = "timestamp out of range: years 0001 to 9999";
constexpr int64_t kMonday = 4 * kMicrosPerDay;  // 1970-01-05
constexpr int64_t kMicrosPerWeek = 7 * kMicrosPerDay;

int64_t floor_to(int64_t us, int64_t size) {
  KAPPA_INVARIANT(size > 0, "a unit has a length");
  const int64_t rest = us % size;
  return us - rest - (rest < 0 ? size : 0);
}

int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

struct UnitState final : KernelState {
  explicit UnitState(TimeUnit u) : unit(u) {}
  TimeUnit unit;
};

std::unique_ptr<KernelState> prepare_unit(std::span<const Value* const> constants) {
  if (constants[0] == nullptr || constants[0]->is_null()) return nullptr;
  const auto unit = parse_time_unit(std::get<std::string>(constants[0]->data));
  return unit ? std::make_unique<UnitState>(*unit) : nullptr;
}

// The unit of a row, or nothing after failing the row.
std::optional<TimeUnit> unit_of(RowScope& scope, StringRef name, const char* what) {
  const auto unit = parse_time_unit(name.view());
  if (!unit) {
    scope.fail([&] {
      return absl::StrCat("unit ", excerpt(name.view()), " not recognized for ", what,
                          "; units are microsecond, millisecond, second, minute, hour, day, week, "
                          "month, quarter, year, decade, century, millennium");
    });
  }
  return unit;
}

// The first year of the period of `size` years that `year` lies in; centuries begin with year 1.
int32_t first_year(int32_t year, int32_t size, int32_t offset) {
  return (year - offset) / size * size + offset;
}

// Units whose length varies. Dates of the years 0001 to 9999; a decade may begin in year 0.
int64_t trunc_calendar(TimeUnit unit, int64_t us) {
  CivilDate date = civil_from_days(floor_divide(us, kMicrosPerDay));
  date.day = 1;
  switch (unit) {
    case TimeUnit::kMonth:
      break;
    case TimeUnit::kQuarter:
      date.month = (date.month - 1) / 3 * 3 + 1;
      break;
    case TimeUnit::kDecade:
      date = {first_year(date.year, 10, 0), 1, 1};
      break;
    case TimeUnit::kCentury:
      date = {first_year(date.year, 100, 1), 1, 1};
      break;
    case TimeUnit::kMillennium:
      date = {first_year(date.year, 1000, 1), 1, 1};
      break;
    default:
      date.month = 1;
      break;
  }
  return days_from_civil(date) * kMicrosPerDay;
}

// The length of a unit, if it is always the same; 0 else.
constexpr int64_t length_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return 1;
    case TimeUnit::kMillisecond:
      return kMicrosPerMilli;
    case TimeUnit::kSecond:
      return kMicrosPerSecond;
    case TimeUnit::kMinute:
      return kMicrosPerMinute;
    case TimeUnit::kHour:
      return kMicrosPerHour;
    case TimeUnit::kDay:
      return kMicrosPerDay;
    default:
      return 0;
  }
}

bool is_period(TimeUnit unit) {
  return unit <= TimeUnit::kMillennium;
}

int64_t trunc_time(TimeUnit unit, int64_t us) {
  if (const int64_t length = length_of(unit); length != 0) return floor_to(us, length);
  if (unit == TimeUnit::kWeek) return floor_to(us - kMonday, kMicrosPerWeek) + kMonday;
  return trunc_calendar(unit, us);
}

// A constant unit of fixed length is a division by a constant per row.
template <TimeUnit kUnit>
void trunc_fixed(const KernelCall& call) {
  const int64_t* times = values_of<int64_t>(call.args[1]);
  int64_t* out = call.out.values<int64_t>().data();
  for_selected(call.selection,
               [=](uint32_t row) { out[row] = floor_to(times[row], length_of(kUnit)); });
}

int64_t trunc_row(RowScope& scope, StringRef name, int64_t us) {
  const auto unit = unit_of(scope, name, "date_trunc");
  if (!unit) return 0;
  if (!is_period(*unit)) {
    scope.fail([&] {
      return absl::StrCat("unit ", excerpt(name.view()), " is no period that date_trunc knows");
    });
    return 0;
  }
  const int64_t result = trunc_time(*unit, us);
  if (result < kTimestampMin) scope.fail(kOutOfRange);
  return result;
}

void trunc_constant_unit(const KernelCall& call, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return trunc_fixed<TimeUnit::kSecond>(call);
    case TimeUnit::kMinute:
      return trunc_fixed<TimeUnit::kMinute>(call);
    case TimeUnit::kHour:
      return trunc_fixed<TimeUnit::kHour>(call);
    case TimeUnit::kDay:
      return trunc_fixed<TimeUnit::kDay>(call);
    default:
      break;
  }
  const int64_t* times = values_of<int64_t>(call.args[1]);
  int64_t* out = call.out.values<int64_t>().data();
  for_not_null(call, [&](uint32_t row) {
    out[row] = trunc_time(unit, times[row]);
    if (out[row] < kTimestampMin) [[unlikely]]
      call.errors.fail(row, kOutOfRange);
  });
}

void date_trunc(const KernelCall& call) {
  const auto* state = static_cast<const UnitState*>(call.state);
  if (state != nullptr && !call.args[1].constant && is_period(state->unit)) {
    return trunc_constant_unit(call, state->unit);
  }
  row_kernel<trunc_row>(call);
}

// Toward zero, as PostgreSQL truncates the fields of an interval.
int64_t trunc_interval_row(RowScope& scope, StringRef name, int64_t us) {
  const auto unit = unit_of(scope, name, "date_trunc");
  if (!unit) return 0;
  const int64_t length = length_of(*unit);
  if (length == 0) {
    scope.fail([&] {
      return absl::StrCat("unit ", excerpt(name.view()),
                          " is not one of an interval, which is days or less");
    });
    return 0;
  }
  return us - us % length;
}

int64_t bin_row(RowScope& scope, int64_t stride, int64_t us, int64_t origin) {
  if (stride <= 0) {
    scope.fail("stride must be greater than zero");
    return 0;
  }
  int64_t since = 0;
  if (__builtin_sub_overflow(us, origin, &since)) {
    scope.fail("interval out of range");
    return 0;
  }
  const int64_t rest = since % stride;
  const int64_t result = us - rest - (rest < 0 ? stride : 0);
  if (result > us || result < kTimestampMin) scope.fail(kOutOfRange);
  return result;
}

// The ISO week date: its year and week, by the Thursday of the week.
struct IsoWeek {
  int32_t year;
  int64_t week;
};

IsoWeek iso_week(int64_t days) {
  const int64_t weekday = ((days + 3) % 7 + 7) % 7;  // Monday is 0
  const int64_t thursday = days - weekday + 3;
  const int32_t year = civil_from_days(thursday).year;
  return {year, (thursday - days_from_civil({year, 1, 1})) / 7 + 1};
}

double seconds_of(int64_t us) {
  return static_cast<double>(us) / static_cast<double>(kMicrosPerSecond);
}

// The centuries (millennia) count from 1; year 2000 is in the 20th.
int64_t period_of(int32_t year, int32_t size) {
  return (year + size - 1) / size;
}

double extract_calendar(TimeUnit unit, int64_t days) {
  const CivilDate date = civil_from_days(days);
  const int64_t weekday = ((days + 4) % 7 + 7) % 7;  // Sunday is 0
  switch (unit) {
    case TimeUnit::kDay:
      return date.day;
    case TimeUnit::kWeek:
      return static_cast<double>(iso_week(days).week);
    case TimeUnit::kMonth:
      return date.month;
    case TimeUnit::kQuarter:
      return static_cast<double>(int64_t{(date.month - 1) / 3 + 1});
    case TimeUnit::kDecade:
      return static_cast<double>(int64_t{date.year / 10});
    case TimeUnit::kCentury:
      return static_cast<double>(period_of(date.year, 100));
    case TimeUnit::kMillennium:
      return static_cast<double>(period_of(date.year, 1000));
    case TimeUnit::kDayOfWeek:
      return static_cast<double>(weekday);
    case TimeUnit::kIsoDayOfWeek:
      return static_cast<double>(weekday == 0 ? 7 : weekday);
    case TimeUnit::kDayOfYear:
      return static_cast<double>(days - days_from_civil({date.year, 1, 1}) + 1);
    case TimeUnit::kIsoYear:
      return iso_week(days).year;
    default:
      return date.year;
  }
}

// Units within a day; `us` is the time of day, or an interval.
std::optional<double> extract_clock(TimeUnit unit, int64_t us) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return static_cast<double>(us % kMicrosPerMinute);
    case TimeUnit::kMillisecond:
      return static_cast<double>(us % kMicrosPerMinute) / static_cast<double>(kMicrosPerMilli);
    case TimeUnit::kSecond:
      return seconds_of(us % kMicrosPerMinute);
    case TimeUnit::kMinute:
      return static_cast<double>(us / kMicrosPerMinute % 60);
    case TimeUnit::kHour:
      return static_cast<double>(us / kMicrosPerHour % 24);
    default:
      return std::nullopt;
  }
}

double extract_time(TimeUnit unit, int64_t us) {
  if (unit == TimeUnit::kEpoch) return seconds_of(us);
  const int64_t days = floor_divide(us, kMicrosPerDay);
  if (const auto clock = extract_clock(unit, us - days * kMicrosPerDay)) return *clock;
  return extract_calendar(unit, days);
}

double extract_time_row(RowScope& scope, StringRef name, int64_t us) {
  if (scope.state != nullptr) {
    return extract_time(static_cast<const UnitState*>(scope.state)->unit, us);
  }
  const auto unit = unit_of(scope, name, "extract");
  return unit ? extract_time(*unit, us) : 0;
}

double extract_interval_row(RowScope& scope, StringRef name, int64_t us) {
  const auto unit = unit_of(scope, name, "extract");
  if (!unit) return 0;
  if (*unit == TimeUnit::kEpoch) return seconds_of(us);
  if (*unit == TimeUnit::kDay) {
    const int64_t days = us / kMicrosPerDay;
    return static_cast<double>(days);
  }
  if (const auto clock = extract_clock(*unit, us)) return *clock;
  scope.fail([&] {
    return absl::StrCat("unit ", excerpt(name.view()),
                        " is not one of an interval, which is days or less");
  });
  return 0;
}

void add(FunctionList& list, const char* name, std::vector<Type> args, const Type& result,
         ScalarKernel kernel, PrepareRule prepare) {
  ScalarFunction function;
  function.name = name;
  function.args = std::move(args);
  function.result = result;
  function.kernel = kernel;
  function.prepare = prepare;
  list.push_back(std::move(function));
}

}  // namespace

std::optional<TimeUnit> parse_time_unit(std::string_view name) {
  for (const auto& [known, unit] : kUnits) {
    if (equals_ignoring_case(known, name)) return unit;
  }
  return std::nullopt;
}

void add_time_unit_functions(FunctionList& list) {
  const Type text = Type::text();
  const Type time = Type::timestamptz();
  const Type span = Type::interval();
  add(list, "date_trunc", {text, time}, time, &date_trunc, &prepare_unit);
  add(list, "date_trunc", {text, span}, span, row_kernel<trunc_interval_row>, nullptr);
  add(list, "date_bin", {span, time, time}, time, row_kernel<bin_row>, nullptr);
  for (const char* name : {"extract", "date_part"}) {
    const Type number = Type::double_precision();
    add(list, name, {text, time}, number, row_kernel<extract_time_row>, &prepare_unit);
    add(list, name, {text, span}, number, row_kernel<extract_interval_row>, nullptr);
  }
}

}  // namespace kappa::operators
