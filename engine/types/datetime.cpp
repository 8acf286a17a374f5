#include "engine/types/datetime.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/time.h"

namespace kappa {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads from the front of a text; every function says whether it found what it is named for.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  bool skip(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool digits(size_t count, int32_t* value) {
    if (text_.size() < count) return false;
    int32_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!is_digit(text_[i])) return false;
      sum = sum * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    *value = sum;
    return true;
  }
  // One to six digits after a point, as microseconds.
  bool fraction(int32_t* us) {
    int32_t sum = 0;
    int count = 0;
    while (is_digit(peek())) {
      if (++count > 6) return false;
      sum = sum * 10 + (peek() - '0');
      text_.remove_prefix(1);
    }
    for (int i = count; i < 6; ++i) sum *= 10;
    *us = sum;
    return count > 0;
  }

 private:
  std::string_view text_;
};

bool is_leap_year(int32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t days_in_month(int32_t year, int32_t month) {
  if (month == 2) return is_leap_year(year) ? 29 : 28;
  return (month == 4 || month == 6 || month == 9 || month == 11) ? 30 : 31;
}

bool scan_date(Scanner& in, int64_t* days) {
  CivilDate date{};
  if (!in.digits(4, &date.year) || !in.skip('-') || !in.digits(2, &date.month) || !in.skip('-') ||
      !in.digits(2, &date.day))
    return false;
  if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > days_in_month(date.year, date.month))
    return false;
  *days = days_from_civil(date);
  return true;
}

// HH:MM[:SS[.ffffff]]; a leap second counts as the first one of the next minute, as in PostgreSQL.
bool scan_time(Scanner& in, int64_t* us) {
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t fraction_us = 0;
  if (!in.digits(2, &hour) || !in.skip(':') || !in.digits(2, &minute)) return false;
  if (in.skip(':')) {
    if (!in.digits(2, &second)) return false;
    if (in.skip('.') && !in.fraction(&fraction_us)) return false;
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  *us = hour * kMicrosPerHour + minute * kMicrosPerMinute + second * kMicrosPerSecond + fraction_us;
  return true;
}

// Nothing, Z, or +hh, +hhmm, +hh:mm.
bool scan_zone(Scanner& in, int64_t* offset_us) {
  *offset_us = 0;
  if (in.done() || in.skip('Z') || in.skip('z')) return true;
  const bool west = in.peek() == '-';
  if (!in.skip('-') && !in.skip('+')) return false;
  int32_t hours = 0;
  int32_t minutes = 0;
  if (!in.digits(2, &hours)) return false;
  if (in.skip(':') || !in.done()) {
    if (!in.digits(2, &minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  *offset_us = (hours * kMicrosPerHour + minutes * kMicrosPerMinute) * (west ? -1 : 1);
  return true;
}

// Ends a text like "…:31.500000" without the zeros, or the point, that say nothing.
void append_fraction(std::string* out, int64_t us) {
  if (us == 0) return;
  absl::StrAppendFormat(out, ".%06d", us);
  while (out->back() == '0') out->pop_back();
}

}  // namespace

int64_t days_from_civil(CivilDate date) {
  // Years begin in March, so that the leap day is a year's last.
  const int64_t year = int64_t{date.year} - (date.month <= 2 ? 1 : 0);
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = (date.month + 9) % 12;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

CivilDate civil_from_days(int64_t days) {
  const int64_t shifted = days + 719'468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return {static_cast<int32_t>(year), static_cast<int32_t>(month), static_cast<int32_t>(day)};
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  Scanner in(text);
  int64_t days = 0;
  if (!scan_date(in, &days)) return std::nullopt;
  int64_t time_us = 0;
  int64_t zone_us = 0;
  if (in.skip('T') || in.skip(' ') || in.skip('t')) {
    if (!scan_time(in, &time_us) || !scan_zone(in, &zone_us)) return std::nullopt;
  }
  if (!in.done()) return std::nullopt;
  const int64_t us = days * kMicrosPerDay + time_us - zone_us;
  // A zone must not lead out of the years that can be written.
  if (us < kFirstTimestampUs || us >= kEndTimestampUs) return std::nullopt;
  return us;
}

std::string timestamp_to_text(int64_t us) {
  int64_t days = us / kMicrosPerDay;
  int64_t rest = us % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  const int64_t seconds = rest / kMicrosPerSecond;
  std::string out = absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d", date.year, date.month,
                                    date.day, seconds / 3600, seconds / 60 % 60, seconds % 60);
  append_fraction(&out, rest % kMicrosPerSecond);
  out += 'Z';
  return out;
}

std::optional<int32_t> parse_date(std::string_view text) {
  Scanner in(text);
  int64_t days = 0;
  if (!scan_date(in, &days) || !in.done()) return std::nullopt;
  return static_cast<int32_t>(days);
}

std::string date_to_text(int32_t days) {
  const CivilDate date = civil_from_days(days);
  return absl::StrFormat("%04d-%02d-%02d", date.year, date.month, date.day);
}

std::string interval_to_text(int64_t us) {
  const int64_t days = us / kMicrosPerDay;
  const int64_t rest = us % kMicrosPerDay;  // of the sign of us
  std::string out;
  if (days != 0) absl::StrAppend(&out, days, days == 1 ? " day" : " days");
  if (rest == 0 && days != 0) return out;
  if (days != 0) out += ' ';
  if (rest < 0) out += '-';
  const int64_t size = std::llabs(rest);
  const int64_t seconds = size / kMicrosPerSecond;
  absl::StrAppendFormat(&out, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  append_fraction(&out, size % kMicrosPerSecond);
  return out;
}

std::string interval_to_iso(int64_t us) {
  if (us == 0) return "PT0S";
  const int64_t days = us / kMicrosPerDay;
  const int64_t rest = us % kMicrosPerDay;  // all parts have the sign of us
  std::string out = "P";
  if (days != 0) absl::StrAppend(&out, days, "D");
  if (rest == 0) return out;
  out += 'T';
  if (const int64_t hours = rest / kMicrosPerHour; hours != 0) absl::StrAppend(&out, hours, "H");
  if (const int64_t minutes = rest / kMicrosPerMinute % 60; minutes != 0)
    absl::StrAppend(&out, minutes, "M");
  if (const int64_t second_us = std::llabs(rest % kMicrosPerMinute); second_us != 0) {
    absl::StrAppend(&out, rest < 0 ? "-" : "", second_us / kMicrosPerSecond);
    append_fraction(&out, second_us % kMicrosPerSecond);
    out += 'S';
  }
  return out;
}

}  // namespace kappa
