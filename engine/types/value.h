#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/arena.h"
#include "engine/types/column.h"
#include "engine/types/type.h"

namespace kappa {

// One value outside of columns: constants, keys of a request, cells of a result. The alternative
// follows the physical type of `type`; monostate is NULL.
struct Value {
  Type type;
  std::variant<std::monostate, bool, int32_t, int64_t, int128, double, std::string> data;

  static Value null(Type type) { return {type, std::monostate{}}; }
  static Value boolean(bool v) { return {Type::boolean(), v}; }
  static Value integer(int32_t v) { return {Type::integer(), v}; }
  static Value bigint(int64_t v) { return {Type::bigint(), v}; }
  static Value double_precision(double v) { return {Type::double_precision(), v}; }
  static Value text(std::string v) { return {Type::text(), std::move(v)}; }
  static Value timestamptz(int64_t us) { return {Type::timestamptz(), us}; }

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  bool operator==(const Value&) const = default;
};

using Row = std::vector<Value>;

// The value at `row`.
Value value_at(const Column& column, size_t row);
// Appends `value`, whose type has the column's physical type; strings are copied into `arena`.
void append_value(Column& column, const Value& value, Arena& arena);

// The text of a value as scenario files, tables and casts to text show it: true/false, timestamps
// in RFC 3339 with no more fraction digits than needed, doubles as the shortest digits that read
// back the same, decimals with their scale, bytea as \x hex, interval as PostgreSQL writes it.
// NULL is "NULL".
std::string to_text(const Value& value);
// The value of `text` as a cast of a text to `type` reads it, or InvalidArgument with what is
// wrong.
absl::StatusOr<Value> parse_value(Type type, std::string_view text);

// Three-way comparison of two non-null values of one type: SQL's order (text by bytes, NaN last).
int compare_values(const Value& a, const Value& b);

}  // namespace kappa
