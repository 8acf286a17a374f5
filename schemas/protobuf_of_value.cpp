#include "schemas/protobuf_of_value.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "engine/types/datetime.h"
#include "engine/types/decimal.h"
#include "engine/types/time.h"

namespace kappa::schemas {
namespace {

constexpr int64_t kNanosPerMicro = 1000;
constexpr int64_t kDurationSecondsMax = 315'576'000'000;  // google.protobuf.Duration's

// Rounded down, as times are when they are read.
int64_t floor_divide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

int128 us_to_unit(int64_t us, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return floor_divide(us, kMicrosPerSecond);
    case TimeUnit::kMillis:
      return floor_divide(us, kMicrosPerMilli);
    case TimeUnit::kNanos:
      return int128{us} * kNanosPerMicro;
    case TimeUnit::kMicros:
    case TimeUnit::kNone:
      break;
  }
  return us;
}

template <typename T>
bool in_range(int128 value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

bool fits(ProtoKind kind, int128 value) {
  switch (kind) {
    case ProtoKind::kInt32:
    case ProtoKind::kSint32:
    case ProtoKind::kSfixed32:
      return in_range<int32_t>(value);
    case ProtoKind::kUint32:
    case ProtoKind::kFixed32:
      return in_range<uint32_t>(value);
    case ProtoKind::kUint64:
    case ProtoKind::kFixed64:
      return in_range<uint64_t>(value);
    default:
      return in_range<int64_t>(value);
  }
}

// The number of an enum's name; of what has no name, the number itself.
bool enum_number(const ProtoColumn& field, std::string_view text, ProtoScalar* scalar) {
  for (const auto& [number, name] : field.enum_names) {
    if (name != text) continue;
    scalar->integer = number;
    return true;
  }
  int32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return false;
  scalar->integer = number;
  return true;
}

bool set_integer(const ProtoColumn& field, int128 value, ProtoScalar* scalar) {
  scalar->integer = value;
  return fits(field.kind, value);
}

bool set_duration(int64_t us, ProtoScalar* scalar) {
  // Seconds and nanoseconds have one sign.
  const int64_t seconds = us / kMicrosPerSecond;
  scalar->integer = seconds;
  scalar->nanos = static_cast<int32_t>(us % kMicrosPerSecond * kNanosPerMicro);
  return seconds >= -kDurationSecondsMax && seconds <= kDurationSecondsMax;
}

void set_timestamp(int64_t us, ProtoScalar* scalar) {
  const int64_t seconds = floor_divide(us, kMicrosPerSecond);
  scalar->integer = seconds;
  scalar->nanos = static_cast<int32_t>((us - seconds * kMicrosPerSecond) * kNanosPerMicro);
}

bool set_double(const ProtoColumn& field, double value, ProtoScalar* scalar) {
  scalar->real = value;
  if (field.kind != ProtoKind::kFloat || !std::isfinite(value)) return true;
  return std::isfinite(static_cast<float>(value));
}

int128 unscaled(const Column& column, size_t row) {
  if (column.type().physical() == PhysicalType::kInt64) return column.values<int64_t>()[row];
  return column.values<int128>()[row];
}

}  // namespace

bool scalar_of_value(const ProtoColumn& field, const Column& column, size_t row, std::string* text,
                     ProtoScalar* scalar) {
  const auto set_text = [&](std::string value) {
    *text = std::move(value);
    scalar->text = *text;
    return true;
  };
  switch (column.type().id) {
    case TypeId::kBoolean:
      scalar->integer = column.values<int8_t>()[row] != 0 ? 1 : 0;
      return true;
    case TypeId::kInteger:
      return set_integer(field, column.values<int32_t>()[row], scalar);
    case TypeId::kBigint:
      return set_integer(field, column.values<int64_t>()[row], scalar);
    case TypeId::kDouble:
      return set_double(field, column.values<double>()[row], scalar);
    case TypeId::kNumeric:
      if (field.kind != ProtoKind::kString) {
        return set_integer(field, unscaled(column, row), scalar);  // minor units
      }
      return set_text(decimal_to_text(unscaled(column, row), column.type().scale));
    case TypeId::kText:
      if (field.is_enum) return enum_number(field, column.values<StringRef>()[row].view(), scalar);
      scalar->text = column.values<StringRef>()[row].view();
      return true;
    case TypeId::kBytea:
      scalar->text = column.values<StringRef>()[row].view();
      return true;
    case TypeId::kTimestamptz:
      if (field.kind != ProtoKind::kTimestamp) {
        return set_integer(field, us_to_unit(column.values<int64_t>()[row], field.unit), scalar);
      }
      set_timestamp(column.values<int64_t>()[row], scalar);
      return true;
    case TypeId::kDate: {
      const int32_t days = column.values<int32_t>()[row];
      if (field.kind == ProtoKind::kString) return set_text(date_to_text(days));
      return set_integer(field, us_to_unit(days * kMicrosPerDay, field.unit), scalar);
    }
    case TypeId::kInterval:
      if (field.kind == ProtoKind::kDuration) {
        return set_duration(column.values<int64_t>()[row], scalar);
      }
      return set_text(interval_to_iso(column.values<int64_t>()[row]));
    case TypeId::kNull:
      break;
  }
  return false;
}

}  // namespace kappa::schemas
