#include <array>
#include <cctype>

#include "absl/strings/ascii.h"
#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/text.h"
#include "engine/types/time.h"

namespace kappa {
namespace {

// Fractions are exact to a part in 10^12 of a unit; weeks (6e11 us) times 10^12 fit 128 bits.
constexpr int kFractionDigits = 12;
constexpr int64_t kMonths = -1;  // stands for units that are no fixed number of microseconds

struct Unit {
  std::string_view name;
  int64_t us;
};

constexpr Unit kUnits[] = {
    {"us", 1},
    {"usec", 1},
    {"usecs", 1},
    {"microsecond", 1},
    {"microseconds", 1},
    {"ms", kMicrosPerMilli},
    {"msec", kMicrosPerMilli},
    {"msecs", kMicrosPerMilli},
    {"millisecond", kMicrosPerMilli},
    {"milliseconds", kMicrosPerMilli},
    {"s", kMicrosPerSecond},
    {"sec", kMicrosPerSecond},
    {"secs", kMicrosPerSecond},
    {"second", kMicrosPerSecond},
    {"seconds", kMicrosPerSecond},
    {"m", kMicrosPerMinute},
    {"min", kMicrosPerMinute},
    {"mins", kMicrosPerMinute},
    {"minute", kMicrosPerMinute},
    {"minutes", kMicrosPerMinute},
    {"h", kMicrosPerHour},
    {"hr", kMicrosPerHour},
    {"hrs", kMicrosPerHour},
    {"hour", kMicrosPerHour},
    {"hours", kMicrosPerHour},
    {"d", kMicrosPerDay},
    {"day", kMicrosPerDay},
    {"days", kMicrosPerDay},
    {"w", 7 * kMicrosPerDay},
    {"week", 7 * kMicrosPerDay},
    {"weeks", 7 * kMicrosPerDay},
    {"mon", kMonths},
    {"mons", kMonths},
    {"month", kMonths},
    {"months", kMonths},
    {"y", kMonths},
    {"yr", kMonths},
    {"yrs", kMonths},
    {"year", kMonths},
    {"years", kMonths},
    {"decade", kMonths},
    {"decades", kMonths},
    {"century", kMonths},
    {"centuries", kMonths},
    {"millennium", kMonths},
};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// One pass over the text of an interval, adding up its parts.
class IntervalParser {
 public:
  explicit IntervalParser(std::string_view text) : text_(strip_spaces(text)) {}

  std::optional<int64_t> parse() {
    const bool iso = !text_.empty() && (text_[0] == 'P' || text_[0] == 'p');
    if (text_.empty() || !(iso ? parse_iso() : parse_verbose())) return std::nullopt;
    if (sum_ > INT64_MAX || sum_ < INT64_MIN) return std::nullopt;
    return static_cast<int64_t>(sum_);
  }
  bool has_months() const { return has_months_; }

 private:
  bool parse_verbose();
  bool parse_iso();
  // "02:00:00.5" behind its sign and first number.
  bool add_clock(std::string_view hours, bool negative);
  bool add(std::string_view number, bool negative, int64_t unit_us);

  void skip_spaces() {
    while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
  }
  bool skip(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  template <typename Accept>
  std::string_view take(Accept accept) {
    size_t count = 0;
    while (count < text_.size() && accept(text_[count])) ++count;
    const std::string_view taken = text_.substr(0, count);
    text_.remove_prefix(count);
    return taken;
  }
  std::string_view take_number() {
    return take([](char c) { return is_digit(c) || c == '.'; });
  }
  bool take_sign() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    return negative;
  }

  std::string_view text_;
  int128 sum_ = 0;
  bool has_months_ = false;
};

bool IntervalParser::add(std::string_view number, bool negative, int64_t unit_us) {
  if (unit_us == kMonths) {
    has_months_ = true;
    return false;
  }
  const size_t point = number.find('.');
  if (point != std::string_view::npos && number.size() - point - 1 > kFractionDigits) return false;
  if (number.find_first_not_of("0123456789.") != std::string_view::npos) return false;
  const std::optional<int128> scaled = parse_decimal(number, kFractionDigits);
  // 10^19 of any unit are more microseconds than 64 bits hold, and their sum is no overflow yet.
  if (!scaled || *scaled > power_of_ten(kFractionDigits + 19)) return false;
  const int128 one = power_of_ten(kFractionDigits);
  const int128 whole_us = (*scaled / one) * unit_us;
  const int128 part_us = (*scaled % one) * unit_us;
  if (part_us % one != 0) return false;  // finer than a microsecond
  const int128 us = whole_us + part_us / one;
  sum_ += negative ? -us : us;
  return sum_ < power_of_ten(30) && sum_ > -power_of_ten(30);
}

bool IntervalParser::add_clock(std::string_view hours, bool negative) {
  const std::string_view minutes = take(is_digit);
  if (minutes.size() != 2 || minutes > "59") return false;
  std::string_view seconds = "0";
  if (skip(':')) {
    seconds = take_number();
    const std::string_view whole = seconds.substr(0, seconds.find('.'));
    if (whole.size() != 2 || whole > "59") return false;
  }
  if (hours.find('.') != std::string_view::npos) return false;
  return add(hours, negative, kMicrosPerHour) && add(minutes, negative, kMicrosPerMinute) &&
         add(seconds, negative, kMicrosPerSecond);
}

// "1 day 02:00:00", "-1.5 hours", "10s", "3 days ago", "10" (seconds), "1 02:00" (a day).
bool IntervalParser::parse_verbose() {
  skip('@');
  bool any = false;
  for (skip_spaces(); !text_.empty(); skip_spaces()) {
    if (any && equals_ignoring_case(text_, "ago")) {
      sum_ = -sum_;
      return true;
    }
    const bool negative = take_sign();
    const std::string_view number = take_number();
    if (number.empty()) return false;
    any = true;
    if (skip(':')) {
      if (!add_clock(number, negative)) return false;
      continue;
    }
    skip_spaces();
    const std::string_view name = take(is_letter);
    int64_t unit_us = 0;
    if (name.empty()) unit_us = text_.empty() ? kMicrosPerSecond : kMicrosPerDay;
    for (const Unit& unit : kUnits) {
      if (equals_ignoring_case(name, unit.name)) unit_us = unit.us;
    }
    if (unit_us == 0 || !add(number, negative, unit_us)) return false;
  }
  return any;
}

// ISO 8601 with designators: "P1DT2H", "PT5M", "-" before any number.
bool IntervalParser::parse_iso() {
  text_.remove_prefix(1);
  bool in_time = false;
  bool any = false;
  while (!text_.empty()) {
    if (!in_time && (skip('T') || skip('t'))) {
      in_time = true;
      any = false;  // a T must be followed by something
      continue;
    }
    const bool negative = take_sign();
    const std::string_view number = take_number();
    if (number.empty() || text_.empty()) return false;
    int64_t unit_us = 0;
    switch (absl::ascii_toupper(static_cast<unsigned char>(text_[0]))) {
      case 'Y':
        unit_us = in_time ? 0 : kMonths;
        break;
      case 'M':
        unit_us = in_time ? kMicrosPerMinute : kMonths;
        break;
      case 'W':
        unit_us = in_time ? 0 : 7 * kMicrosPerDay;
        break;
      case 'D':
        unit_us = in_time ? 0 : kMicrosPerDay;
        break;
      case 'H':
        unit_us = in_time ? kMicrosPerHour : 0;
        break;
      case 'S':
        unit_us = in_time ? kMicrosPerSecond : 0;
        break;
      default:
        break;
    }
    if (unit_us == 0 || !add(number, negative, unit_us)) return false;
    text_.remove_prefix(1);
    any = true;
  }
  return any;
}

}  // namespace

std::optional<int64_t> parse_interval(std::string_view text, bool* has_months) {
  IntervalParser parser(text);
  const std::optional<int64_t> us = parser.parse();
  if (has_months != nullptr) *has_months = parser.has_months();
  return us;
}

}  // namespace kappa
