#include "engine/types/value.h"

#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/decimal.h"

namespace kappa {
namespace {

// Fixed notation where PostgreSQL uses it, and the shortest digits that read back the same.
std::string double_to_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e15);
  std::array<char, 64> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    fixed ? std::chars_format::fixed : std::chars_format::scientific);
  return {buffer.data(), written.ptr};
}

std::string integer_to_text(const Type& type, int64_t value) {
  switch (type.id) {
    case TypeId::kTimestamptz:
      return timestamp_to_text(value);
    case TypeId::kInterval:
      return interval_to_text(value);
    case TypeId::kNumeric:
      return decimal_to_text(value, type.scale);
    default:
      return absl::StrCat(value);
  }
}

template <typename T>
int compare(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

// NaN equals NaN and is greater than everything else.
int compare_doubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return compare(std::isnan(a), std::isnan(b));
  return compare(a, b);
}

}  // namespace

Value value_at(const Column& column, size_t row) {
  const Type type = column.type();
  if (column.is_null(row) || type.id == TypeId::kNull) return Value::null(type);
  switch (type.physical()) {
    case PhysicalType::kInt8:
      return {type, column.values<int8_t>()[row] != 0};
    case PhysicalType::kInt32:
      return {type, column.values<int32_t>()[row]};
    case PhysicalType::kInt64:
      return {type, column.values<int64_t>()[row]};
    case PhysicalType::kInt128:
      return {type, column.values<int128>()[row]};
    case PhysicalType::kDouble:
      return {type, column.values<double>()[row]};
    case PhysicalType::kString:
      return {type, std::string(column.values<StringRef>()[row].view())};
  }
  return Value::null(type);
}

void append_value(Column& column, const Value& value, Arena& arena) {
  const size_t row = column.rows();
  column.resize(row + 1);
  if (value.is_null()) {
    column.set_null(row);
    return;
  }
  switch (column.type().physical()) {
    case PhysicalType::kInt8:
      column.values<int8_t>()[row] = std::get<bool>(value.data) ? 1 : 0;
      break;
    case PhysicalType::kInt32:
      column.values<int32_t>()[row] = std::get<int32_t>(value.data);
      break;
    case PhysicalType::kInt64:
      column.values<int64_t>()[row] = std::get<int64_t>(value.data);
      break;
    case PhysicalType::kInt128:
      column.values<int128>()[row] = std::get<int128>(value.data);
      break;
    case PhysicalType::kDouble:
      column.values<double>()[row] = std::get<double>(value.data);
      break;
    case PhysicalType::kString:
      column.values<StringRef>()[row] = arena.copy(std::get<std::string>(value.data));
      break;
  }
}

std::string to_text(const Value& value) {
  if (const auto* v = std::get_if<bool>(&value.data)) return *v ? "true" : "false";
  if (const auto* v = std::get_if<int32_t>(&value.data))
    return value.type.id == TypeId::kDate ? date_to_text(*v) : absl::StrCat(*v);
  if (const auto* v = std::get_if<int64_t>(&value.data)) return integer_to_text(value.type, *v);
  if (const auto* v = std::get_if<int128>(&value.data))
    return decimal_to_text(*v, value.type.scale);
  if (const auto* v = std::get_if<double>(&value.data)) return double_to_text(*v);
  if (const auto* v = std::get_if<std::string>(&value.data)) {
    if (value.type.id != TypeId::kBytea) return *v;
    return absl::StrCat("\\x", absl::BytesToHexString(*v));
  }
  return "NULL";
}

int compare_values(const Value& a, const Value& b) {
  KAPPA_INVARIANT(!a.is_null() && a.data.index() == b.data.index(), "values of one type, not null");
  if (const auto* v = std::get_if<bool>(&a.data)) return compare(*v, std::get<bool>(b.data));
  if (const auto* v = std::get_if<int32_t>(&a.data)) return compare(*v, std::get<int32_t>(b.data));
  if (const auto* v = std::get_if<double>(&a.data))
    return compare_doubles(*v, std::get<double>(b.data));
  if (const auto* v = std::get_if<std::string>(&a.data))
    return compare(v->compare(std::get<std::string>(b.data)), 0);
  // Numerics of one type share their scale, so the scaled values compare as they are.
  if (const auto* v = std::get_if<int128>(&a.data)) return compare(*v, std::get<int128>(b.data));
  return compare(std::get<int64_t>(a.data), std::get<int64_t>(b.data));
}

}  // namespace kappa
