#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kappa {

// Calendar arithmetic on the proleptic Gregorian calendar, UTC. Algorithms: Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms".

struct CivilDate {
  int32_t year;
  int32_t month;  // 1..12
  int32_t day;    // 1..31
};

int64_t days_from_civil(CivilDate date);
CivilDate civil_from_days(int64_t days);

// RFC 3339 ("2018-04-01T00:00:31.5+02:00"), or "YYYY-MM-DD[ HH:MM[:SS[.ffffff]]]" taken as UTC, to
// microseconds since the epoch; years 0001 to 9999. nullopt: not a time. More than six fraction
// digits are refused, so nothing is rounded away unseen.
std::optional<int64_t> parse_timestamp(std::string_view text);
// RFC 3339 in UTC with no more fraction digits than needed: "1970-01-01T00:00:01Z".
std::string timestamp_to_text(int64_t us);

// "YYYY-MM-DD" to days since the epoch.
std::optional<int32_t> parse_date(std::string_view text);
std::string date_to_text(int32_t days);

// PostgreSQL's interval input limited to units of fixed length: "5 minutes", "1 day 02:00:00",
// "-1.5 hours", "10s", "PT5M". Microseconds. nullopt: not such an interval; months and years are
// not (their length varies): `has_months`, if given, tells that this was the reason.
std::optional<int64_t> parse_interval(std::string_view text, bool* has_months = nullptr);
// "1 day 02:00:00", "00:00:10.5".
std::string interval_to_text(int64_t us);
// ISO 8601 as PostgreSQL's style iso_8601 writes it: "P1DT2H", "PT10.5S", "PT0S", "P-1DT-2H".
std::string interval_to_iso(int64_t us);

// The first microsecond of the year 0001, and the first after 9999: what parse_timestamp takes.
inline constexpr int64_t kFirstTimestampUs = -62'135'596'800'000'000;
inline constexpr int64_t kEndTimestampUs = 253'402'300'800'000'000;

}  // namespace kappa
