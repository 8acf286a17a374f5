#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/arena.h"
#include "schemas/row_writer.h"
#include "schemas/source.h"

// What a JSON value means to a column: the one set of rules that the fast path and the slow path
// share. See README.md for the rules in words.
namespace kappa::schemas {

// A declared column as the JSON decoder knows it.
struct JsonColumn {
  std::string name;
  std::string field;
  Type type;
  TimeUnit unit = TimeUnit::kNone;
  bool required = false;
  std::string expected;  // for messages: "a whole number from -2147483648 to 2147483647"
};

std::vector<JsonColumn> json_columns(const Source& source);

enum class ScalarKind : uint8_t { kString, kNumber, kTrue, kFalse, kNull };

// A scalar of a JSON document: a string's content without quotes and escapes, or a number as it is
// written (well formed by JSON's grammar). `text` outlives the row.
struct Scalar {
  ScalarKind kind;
  std::string_view text;
};

// Writes `value` as column number `index` of the row at hand. False if it is no value of the
// column. Strings are not copied; only what is decoded from base64 goes to `arena`.
bool store_scalar(const JsonColumn& column, size_t index, const Scalar& value, RowWriter& row,
                  Arena& arena);

// "column amount: expected a number with at most 2 digits after the point, got "x"": `token` is the
// value as it stands in the document.
std::string mismatch(const JsonColumn& column, std::string_view token);

}  // namespace kappa::schemas
