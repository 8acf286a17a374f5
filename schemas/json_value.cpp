#include "schemas/json_value.h"

#include <charconv>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/text.h"
#include "engine/types/time.h"
#include "schemas/base64.h"
#include "schemas/record_column.h"

namespace kappa::schemas {
namespace {

std::string expected_integer(int64_t least, int64_t most, std::string_view or_string) {
  return absl::StrCat("a whole number from ", least, " to ", most, to_absl(or_string));
}

std::string expected_time(const SourceColumn& column) {
  const bool date = column.type.id == TypeId::kDate;
  std::string expected =
      date ? "a date like 2018-04-01"
           : "a time like 2018-04-01T00:00:31.5Z with at most six fraction digits";
  switch (column.unit) {
    case TimeUnit::kNone:
      return expected;
    case TimeUnit::kSeconds:
      return expected + ", or seconds since 1970";
    case TimeUnit::kMillis:
      return expected + ", or milliseconds since 1970";
    case TimeUnit::kMicros:
      return expected + ", or microseconds since 1970";
    case TimeUnit::kNanos:
      return expected + ", or nanoseconds since 1970";
  }
  return expected;
}

std::string expected_value(const SourceColumn& column) {
  switch (column.type.id) {
    case TypeId::kBoolean:
      return "true or false";
    case TypeId::kInteger:
      return expected_integer(std::numeric_limits<int32_t>::min(),
                              std::numeric_limits<int32_t>::max(), "");
    case TypeId::kBigint:
      return expected_integer(std::numeric_limits<int64_t>::min(),
                              std::numeric_limits<int64_t>::max(), " (or a string of one)");
    case TypeId::kDouble:
      return "a number within the range of double precision, or \"NaN\", \"Infinity\", "
             "\"-Infinity\"";
    case TypeId::kNumeric:
      return absl::StrCat("a number (or a string of one) with at most ",
                          column.type.precision - column.type.scale, " digits before and ",
                          column.type.scale, " after the point");
    case TypeId::kBytea:
      return "a string in base64, of at most 16 MiB";
    case TypeId::kTimestamptz:
    case TypeId::kDate:
      return expected_time(column);
    case TypeId::kInterval:
      return "an interval like \"1 day 02:00:00\" or \"PT5M\", without months and years";
    case TypeId::kText:
    case TypeId::kNull:
      break;
  }
  return "a string of at most 16 MiB, without the character \\u0000";
}

// Integers as they mostly come: digits alone.
std::optional<int64_t> plain_integer(std::string_view text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int128> whole_number(std::string_view text) {
  if (const std::optional<int64_t> plain = plain_integer(text)) return *plain;
  return parse_decimal_exactly(text, 0);
}

bool store_integer(const JsonColumn& column, size_t index, const Scalar& value, RowWriter& row) {
  const bool bigint = column.type.id == TypeId::kBigint;
  if (value.kind != ScalarKind::kNumber && !(bigint && value.kind == ScalarKind::kString))
    return false;
  const std::optional<int128> number = whole_number(value.text);
  if (!number) return false;
  if (bigint) {
    if (*number < std::numeric_limits<int64_t>::min() ||
        *number > std::numeric_limits<int64_t>::max())
      return false;
    row.set(index, static_cast<int64_t>(*number));
    return true;
  }
  if (*number < std::numeric_limits<int32_t>::min() ||
      *number > std::numeric_limits<int32_t>::max())
    return false;
  row.set(index, static_cast<int32_t>(*number));
  return true;
}

bool store_numeric(const JsonColumn& column, size_t index, const Scalar& value, RowWriter& row) {
  if (value.kind != ScalarKind::kNumber && value.kind != ScalarKind::kString) return false;
  const std::optional<int128> number = parse_decimal_exactly(value.text, column.type.scale);
  if (!number || !fits_precision(*number, column.type.precision)) return false;
  if (column.type.physical() == PhysicalType::kInt64) {
    row.set(index, static_cast<int64_t>(*number));
  } else {
    row.set(index, *number);
  }
  return true;
}

// A double that JSON has no number for, as PostgreSQL spells it.
std::optional<double> named_double(std::string_view name) {
  if (name == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (name == "Infinity") return std::numeric_limits<double>::infinity();
  if (name == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

bool store_double(size_t index, const Scalar& value, RowWriter& row) {
  std::optional<double> number;
  if (value.kind == ScalarKind::kString) {
    number = named_double(value.text);
  } else if (value.kind == ScalarKind::kNumber) {
    double parsed = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, parsed);
    if (error == std::errc() && stop == end) number = parsed;
  }
  if (number) row.set(index, *number);
  return number.has_value();
}

// An epoch number to microseconds; nanoseconds round down to them.
std::optional<int64_t> epoch_to_us(std::string_view text, TimeUnit unit) {
  int scale = 0;
  if (unit == TimeUnit::kSeconds) scale = 6;
  if (unit == TimeUnit::kMillis) scale = 3;
  const std::optional<int64_t> plain = plain_integer(text);
  std::optional<int128> number;
  if (plain) {
    number = int128{*plain} * power_of_ten(scale);
  } else {
    number = parse_decimal_exactly(text, scale);
  }
  if (!number) return std::nullopt;
  int128 us = *number;
  if (unit == TimeUnit::kNanos) us = us / 1000 - (us % 1000 < 0 ? 1 : 0);
  if (us < kFirstTimestampUs || us >= kEndTimestampUs) return std::nullopt;
  return static_cast<int64_t>(us);
}

bool store_time(const JsonColumn& column, size_t index, const Scalar& value, RowWriter& row) {
  const bool date = column.type.id == TypeId::kDate;
  if (value.kind == ScalarKind::kString && date) {
    const std::optional<int32_t> days = parse_date(value.text);
    if (days) row.set(index, *days);
    return days.has_value();
  }
  std::optional<int64_t> us;
  if (value.kind == ScalarKind::kString) {
    us = parse_timestamp(value.text);
  } else if (value.kind == ScalarKind::kNumber && column.unit != TimeUnit::kNone) {
    us = epoch_to_us(value.text, column.unit);
  }
  if (!us) return false;
  if (date) {
    row.set(index, static_cast<int32_t>(*us / kMicrosPerDay - (*us % kMicrosPerDay < 0 ? 1 : 0)));
  } else {
    row.set(index, *us);
  }
  return true;
}

bool store_text(size_t index, const Scalar& value, RowWriter& row) {
  if (value.kind != ScalarKind::kString || value.text.size() > kTextBytesMax) return false;
  if (value.text.find('\0') != std::string_view::npos) return false;
  row.set(index, StringRef{value.text.data(), static_cast<uint32_t>(value.text.size())});
  return true;
}

bool store_bytea(size_t index, const Scalar& value, RowWriter& row, Arena& arena) {
  if (value.kind != ScalarKind::kString || value.text.size() / 4 * 3 > kTextBytesMax) return false;
  const std::optional<StringRef> bytes = decode_base64(value.text, arena);
  if (!bytes) return false;
  row.set(index, *bytes);
  return true;
}

}  // namespace

std::vector<JsonColumn> json_columns(const Source& source) {
  std::vector<JsonColumn> columns;
  for (const SourceColumn& column : source.columns) {
    columns.push_back({column.name, column.field, column.type, column.unit, column.not_null,
                       expected_value(column)});
  }
  for (const int key : source.primary_key) columns[static_cast<size_t>(key)].required = true;
  if (source.event_time && is_declared(source, *source.event_time)) {
    columns[static_cast<size_t>(*source.event_time)].required = true;
  }
  return columns;
}

bool store_scalar(const JsonColumn& column, size_t index, const Scalar& value, RowWriter& row,
                  Arena& arena) {
  if (value.kind == ScalarKind::kNull) return row.set_null(index);
  switch (column.type.id) {
    case TypeId::kBoolean:
      if (value.kind != ScalarKind::kTrue && value.kind != ScalarKind::kFalse) return false;
      row.set(index, static_cast<int8_t>(value.kind == ScalarKind::kTrue ? 1 : 0));
      return true;
    case TypeId::kInteger:
    case TypeId::kBigint:
      return store_integer(column, index, value, row);
    case TypeId::kDouble:
      return store_double(index, value, row);
    case TypeId::kNumeric:
      return store_numeric(column, index, value, row);
    case TypeId::kTimestamptz:
    case TypeId::kDate:
      return store_time(column, index, value, row);
    case TypeId::kInterval: {
      if (value.kind != ScalarKind::kString) return false;
      const std::optional<int64_t> us = parse_interval(value.text);
      if (us) row.set(index, *us);
      return us.has_value();
    }
    case TypeId::kBytea:
      return store_bytea(index, value, row, arena);
    case TypeId::kText:
    case TypeId::kNull:
      break;
  }
  return store_text(index, value, row);
}

std::string mismatch(const JsonColumn& column, std::string_view token) {
  const bool string = token.size() >= 2 && token.front() == '"' && token.back() == '"';
  std::string found = string ? excerpt(token.substr(1, token.size() - 2)) : excerpt(token);
  // Only strings are shown in quotes.
  if (!string) found = found.substr(1, found.size() - 2);
  if (token == "null") {
    return absl::StrCat("column ", column.name, ": must not be null; expected ", column.expected);
  }
  return absl::StrCat("column ", column.name, ": expected ", column.expected, ", got ", found);
}

}  // namespace kappa::schemas
