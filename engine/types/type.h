#pragma once

#include <cstdint>
#include <string>

namespace kappa {

// The SQL types. Stored in manifests: append only, never renumber.
enum class TypeId : uint8_t {
  kNull = 0,  // the type of a bare NULL before it is coerced; never the type of a column
  kBoolean = 1,
  kInteger = 2,
  kBigint = 3,
  kDouble = 4,
  kNumeric = 5,
  kText = 6,
  kBytea = 7,
  kTimestamptz = 8,
  kDate = 9,
  kInterval = 10,
};

// How a column of a type lies in memory.
enum class PhysicalType : uint8_t {
  kInt8,    // boolean: 0 or 1
  kInt32,   // integer; date: days since 1970-01-01
  kInt64,   // bigint; timestamptz, interval: microseconds; numeric(p <= 18): scaled
  kInt128,  // numeric(p > 18): scaled
  kDouble,
  kString,  // text, bytea: StringRef
};

// A type with its modifiers. Precision and scale mean something for numeric only:
// 1 <= precision <= 38, 0 <= scale <= precision.
struct Type {
  TypeId id = TypeId::kNull;
  uint8_t precision = 0;
  uint8_t scale = 0;

  bool operator==(const Type&) const = default;

  static constexpr Type null() { return {TypeId::kNull}; }
  static constexpr Type boolean() { return {TypeId::kBoolean}; }
  static constexpr Type integer() { return {TypeId::kInteger}; }
  static constexpr Type bigint() { return {TypeId::kBigint}; }
  static constexpr Type double_precision() { return {TypeId::kDouble}; }
  static constexpr Type numeric(int precision, int scale) {
    return {TypeId::kNumeric, static_cast<uint8_t>(precision), static_cast<uint8_t>(scale)};
  }
  static constexpr Type text() { return {TypeId::kText}; }
  static constexpr Type bytea() { return {TypeId::kBytea}; }
  static constexpr Type timestamptz() { return {TypeId::kTimestamptz}; }
  static constexpr Type date() { return {TypeId::kDate}; }
  static constexpr Type interval() { return {TypeId::kInterval}; }

  constexpr PhysicalType physical() const {
    switch (id) {
      case TypeId::kBoolean:
        return PhysicalType::kInt8;
      case TypeId::kInteger:
      case TypeId::kDate:
        return PhysicalType::kInt32;
      case TypeId::kDouble:
        return PhysicalType::kDouble;
      case TypeId::kNumeric:
        return precision <= 18 ? PhysicalType::kInt64 : PhysicalType::kInt128;
      case TypeId::kText:
      case TypeId::kBytea:
        return PhysicalType::kString;
      case TypeId::kNull:  // a column of bare NULLs
      case TypeId::kBigint:
      case TypeId::kTimestamptz:
      case TypeId::kInterval:
        return PhysicalType::kInt64;
    }
    return PhysicalType::kInt64;
  }

  constexpr bool is_integer() const { return id == TypeId::kInteger || id == TypeId::kBigint; }
  constexpr bool is_number() const {
    return is_integer() || id == TypeId::kDouble || id == TypeId::kNumeric;
  }
};

// PostgreSQL's name of the type: "bigint", "numeric(12,2)", "timestamp with time zone".
std::string to_string(const Type& type);

// Bytes of one element of a column: 1, 4, 8 or 16.
constexpr uint32_t width_of(PhysicalType physical) {
  switch (physical) {
    case PhysicalType::kInt8:
      return 1;
    case PhysicalType::kInt32:
      return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kDouble:
      return 8;
    case PhysicalType::kInt128:
    case PhysicalType::kString:
      return 16;
  }
  return 8;
}

}  // namespace kappa
