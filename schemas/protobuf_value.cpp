#include "schemas/protobuf_value.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/text.h"
#include "engine/types/time.h"
#include "schemas/utf8.h"

namespace kappa::schemas {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
// What the definition of google.protobuf.Duration allows: about 10,000 years.
constexpr int64_t kDurationSecondsMax = 315'576'000'000;

int128 floor_divide(int128 value, int128 divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

bool is_time(int128 us) {
  return us >= kFirstTimestampUs && us < kEndTimestampUs;
}

bool fits_bigint(int128 value) {
  return value >= std::numeric_limits<int64_t>::min() &&
         value <= std::numeric_limits<int64_t>::max();
}

int128 epoch_to_us(int128 value, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return value * kMicrosPerSecond;
    case TimeUnit::kMillis:
      return value * kMicrosPerMilli;
    case TimeUnit::kNanos:
      return floor_divide(value, 1000);
    case TimeUnit::kMicros:
    case TimeUnit::kNone:
      break;
  }
  return value;
}

bool store_integer(size_t index, int128 value, RowWriter& row) {
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max())
    return false;
  row.set(index, static_cast<int32_t>(value));
  return true;
}

bool store_bigint(size_t index, int128 value, RowWriter& row) {
  if (!fits_bigint(value)) return false;
  row.set(index, static_cast<int64_t>(value));
  return true;
}

bool store_bytes(size_t index, std::string_view bytes, RowWriter& row) {
  if (bytes.size() > kTextBytesMax) return false;
  row.set(index, StringRef{bytes.data(), static_cast<uint32_t>(bytes.size())});
  return true;
}

bool store_text(const ProtoColumn& column, size_t index, const ProtoScalar& value, RowWriter& row,
                Arena& arena) {
  if (!column.is_enum) {
    if (!(is_ascii(value.text) || is_valid_utf8(value.text)) ||
        value.text.find('\0') != std::string_view::npos)
      return false;
    return store_bytes(index, value.text, row);
  }
  // An open enum may hold a number that its .proto does not name yet: its digits stand for it.
  const auto name = column.enum_names.find(static_cast<int32_t>(value.integer));
  row.set(index, name != column.enum_names.end()
                     ? arena.copy(name->second)
                     : arena.copy(absl::StrCat(static_cast<int32_t>(value.integer))));
  return true;
}

// Without presence, an empty string cannot be told from an absent one; as a value of a column that
// is parsed from it, it can only be meant as none.
bool is_absent_text(const ProtoColumn& column, const ProtoScalar& value) {
  return column.kind == ProtoKind::kString && !column.has_presence && value.text.empty();
}

bool store_numeric(const ProtoColumn& column, size_t index, const ProtoScalar& value,
                   RowWriter& row) {
  if (is_absent_text(column, value)) return row.set_null(index);
  std::optional<int128> number = value.integer;  // minor units
  if (column.kind == ProtoKind::kString)
    number = parse_decimal_exactly(value.text, column.type.scale);
  if (!number || !fits_precision(*number, column.type.precision)) return false;
  if (column.type.physical() == PhysicalType::kInt64) {
    row.set(index, static_cast<int64_t>(*number));
  } else {
    row.set(index, *number);
  }
  return true;
}

bool store_timestamp(const ProtoColumn& column, size_t index, const ProtoScalar& value,
                     RowWriter& row) {
  int128 us = 0;
  if (column.kind == ProtoKind::kTimestamp) {
    if (value.nanos < 0 || value.nanos >= kNanosPerSecond) return false;
    us = value.integer * kMicrosPerSecond + value.nanos / 1000;
  } else {
    us = epoch_to_us(value.integer, column.unit);
  }
  return is_time(us) && store_bigint(index, us, row);
}

bool store_date(const ProtoColumn& column, size_t index, const ProtoScalar& value, RowWriter& row) {
  if (is_absent_text(column, value)) return row.set_null(index);
  if (column.kind == ProtoKind::kString) {
    const std::optional<int32_t> days = parse_date(value.text);
    if (days) row.set(index, *days);
    return days.has_value();
  }
  const int128 us = epoch_to_us(value.integer, column.unit);
  return is_time(us) && store_integer(index, floor_divide(us, kMicrosPerDay), row);
}

bool store_interval(const ProtoColumn& column, size_t index, const ProtoScalar& value,
                    RowWriter& row) {
  if (is_absent_text(column, value)) return row.set_null(index);
  if (column.kind == ProtoKind::kString) {
    const std::optional<int64_t> us = parse_interval(value.text);
    if (us) row.set(index, *us);
    return us.has_value();
  }
  const bool same_sign =
      value.integer == 0 || value.nanos == 0 || (value.integer < 0) == (value.nanos < 0);
  if (!same_sign || value.nanos <= -kNanosPerSecond || value.nanos >= kNanosPerSecond ||
      value.integer < -kDurationSecondsMax || value.integer > kDurationSecondsMax)
    return false;
  const int128 nanos = value.integer * kNanosPerSecond + value.nanos;
  return store_bigint(index, floor_divide(nanos, 1000), row);
}

}  // namespace

bool store_proto_value(const ProtoColumn& column, size_t index, const ProtoScalar& value,
                       RowWriter& row, Arena& arena) {
  switch (column.type.id) {
    case TypeId::kBoolean:
      row.set(index, static_cast<int8_t>(value.integer));
      return true;
    case TypeId::kInteger:
      return store_integer(index, value.integer, row);
    case TypeId::kBigint:
      return store_bigint(index, value.integer, row);
    case TypeId::kDouble:
      row.set(index, value.real);
      return true;
    case TypeId::kNumeric:
      return store_numeric(column, index, value, row);
    case TypeId::kText:
      return store_text(column, index, value, row, arena);
    case TypeId::kBytea:
      return store_bytes(index, value.text, row);
    case TypeId::kTimestamptz:
      return store_timestamp(column, index, value, row);
    case TypeId::kDate:
      return store_date(column, index, value, row);
    case TypeId::kInterval:
      return store_interval(column, index, value, row);
    case TypeId::kNull:
      break;
  }
  return false;
}

std::string describe_proto_value(const ProtoColumn& column, const ProtoScalar& value) {
  switch (column.kind) {
    case ProtoKind::kString:
    case ProtoKind::kBytes:
      return excerpt(value.text);
    case ProtoKind::kFloat:
    case ProtoKind::kDouble:
      return absl::StrCat(value.real);
    case ProtoKind::kTimestamp:
    case ProtoKind::kDuration:
      return absl::StrCat("seconds ", decimal_to_text(value.integer, 0), " and nanos ",
                          value.nanos);
    default:
      return decimal_to_text(value.integer, 0);
  }
}

}  // namespace kappa::schemas
