#include <charconv>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/text.h"
#include "engine/types/value.h"

namespace kappa {
namespace {

// "invalid input for integer: "x"; expected digits"
absl::Status invalid(Type type, std::string_view text, std::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("invalid input for ", to_string(type), ": ",
                                                 excerpt(text), "; expected ", to_absl(expected)));
}

absl::Status out_of_range(Type type, std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("value out of range for ", to_string(type), ": ", excerpt(text)));
}

std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

template <typename T>
absl::StatusOr<Value> parse_number(Type type, std::string_view text, std::string_view expected) {
  const std::string_view digits = without_plus(strip_spaces(text));
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size())
    return invalid(type, text, expected);
  if (error == std::errc::result_out_of_range) return out_of_range(type, text);
  return Value{type, value};
}

absl::StatusOr<Value> parse_double(Type type, std::string_view text) {
  std::string_view word = without_plus(strip_spaces(text));
  if (equals_ignoring_case(word, "nan"))
    return Value{type, std::numeric_limits<double>::quiet_NaN()};
  const bool negative = word.starts_with('-');
  if (negative) word.remove_prefix(1);
  const double sign = negative ? -1 : 1;
  if (equals_ignoring_case(word, "infinity") || equals_ignoring_case(word, "inf"))
    return Value{type, sign * std::numeric_limits<double>::infinity()};
  // from_chars would take "nan(…)" and the like too.
  if (word.empty() || absl::ascii_isalpha(static_cast<unsigned char>(word[0])))
    return invalid(type, text, "a number, NaN, Infinity or -Infinity");
  return parse_number<double>(type, text, "a number, NaN, Infinity or -Infinity");
}

absl::StatusOr<Value> parse_numeric(Type type, std::string_view text) {
  const std::string_view digits = strip_spaces(text);
  const std::optional<int128> value = parse_decimal(digits, type.scale);
  if (!is_decimal(digits)) return invalid(type, text, "a number like -12.50");
  if (!value || !fits_precision(*value, type.precision)) return out_of_range(type, text);
  if (type.physical() == PhysicalType::kInt64) return Value{type, static_cast<int64_t>(*value)};
  return Value{type, *value};
}

// PostgreSQL takes any unambiguous beginning of these words, in any case.
absl::StatusOr<Value> parse_boolean(Type type, std::string_view text) {
  const std::string word = absl::AsciiStrToLower(to_absl(strip_spaces(text)));
  const auto begins = [&](std::string_view whole, size_t at_least) {
    return word.size() >= at_least && whole.starts_with(word);
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1")
    return Value{type, true};
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0")
    return Value{type, false};
  return invalid(type, text, "true or false");
}

bool is_octal(std::string_view digits) {
  return digits.size() == 3 && digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' &&
         digits[1] <= '7' && digits[2] >= '0' && digits[2] <= '7';
}

// "\x0aff" in hex, or bytes as they are with \\ and \ooo for the awkward ones.
absl::StatusOr<Value> parse_bytea(Type type, std::string_view text) {
  constexpr std::string_view kExpected = R"(\x and pairs of hex digits, or text with \\ and \ooo)";
  std::string bytes;
  if (text.starts_with("\\x")) {
    const std::string_view hex = text.substr(2);
    for (const char c : hex) {
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c)))
        return invalid(type, text, kExpected);
    }
    if (hex.size() % 2 != 0) return invalid(type, text, kExpected);
    return Value{type, absl::HexStringToBytes(to_absl(hex))};
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      bytes += '\\';
      ++i;
    } else if (const std::string_view octal = text.substr(i + 1, 3); is_octal(octal)) {
      bytes += static_cast<char>((octal[0] - '0') * 64 + (octal[1] - '0') * 8 + (octal[2] - '0'));
      i += 3;
    } else {
      return invalid(type, text, kExpected);
    }
  }
  return Value{type, bytes};
}

absl::StatusOr<Value> parse_timestamptz(Type type, std::string_view text) {
  const std::optional<int64_t> us = parse_timestamp(strip_spaces(text));
  if (!us) {
    return invalid(type, text,
                   "a time like 2018-04-01T00:00:31.5Z with at most six fraction digits, in the "
                   "years 0001 to 9999");
  }
  return Value{type, *us};
}

absl::StatusOr<Value> parse_interval_value(Type type, std::string_view text) {
  bool has_months = false;
  const std::optional<int64_t> us = parse_interval(text, &has_months);
  if (has_months) return invalid(type, text, "days or less: months and years vary in length");
  if (!us) return invalid(type, text, "an interval like 1 day 02:00:00 or 5 minutes");
  return Value{type, *us};
}

}  // namespace

absl::StatusOr<Value> parse_value(Type type, std::string_view text) {
  switch (type.id) {
    case TypeId::kNull:
    case TypeId::kText:
      return Value{type.id == TypeId::kNull ? Type::text() : type, std::string(text)};
    case TypeId::kBoolean:
      return parse_boolean(type, text);
    case TypeId::kInteger:
      return parse_number<int32_t>(type, text, "an integer");
    case TypeId::kBigint:
      return parse_number<int64_t>(type, text, "an integer");
    case TypeId::kDouble:
      return parse_double(type, text);
    case TypeId::kNumeric:
      return parse_numeric(type, text);
    case TypeId::kBytea:
      return parse_bytea(type, text);
    case TypeId::kTimestamptz:
      return parse_timestamptz(type, text);
    case TypeId::kDate: {
      const std::optional<int32_t> days = parse_date(strip_spaces(text));
      if (!days) return invalid(type, text, "a date like 2018-04-01");
      return Value{type, *days};
    }
    case TypeId::kInterval:
      return parse_interval_value(type, text);
  }
  return invalid(type, text, "a known type");
}

}  // namespace kappa
