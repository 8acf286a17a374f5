#include <array>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/types/datetime.h"
#include "engine/types/invariant.h"
#include "engine/types/value.h"
#include "schemas/base64.h"
#include "schemas/encoder.h"

namespace kappa::schemas {
namespace {

constexpr int64_t kExactInDouble = int64_t{1} << 53;

void append_quoted(std::string_view plain, std::string* out) {
  out->push_back('"');
  *out += plain;
  out->push_back('"');
}

// Readers that take every number for a double must not see one that it cannot hold.
void append_bigint(int64_t value, std::string* out) {
  const bool exact = value >= -kExactInDouble && value <= kExactInDouble;
  absl::StrAppend(out, exact ? "" : "\"", value, exact ? "" : "\"");
}

void append_cell(const Column& column, size_t row, std::string* out) {
  switch (column.type().id) {
    case TypeId::kBoolean:
      *out += column.values<int8_t>()[row] != 0 ? "true" : "false";
      return;
    case TypeId::kInteger:
      absl::StrAppend(out, column.values<int32_t>()[row]);
      return;
    case TypeId::kBigint:
      append_bigint(column.values<int64_t>()[row], out);
      return;
    case TypeId::kText:
      append_json_string(column.values<StringRef>()[row].view(), out);
      return;
    case TypeId::kBytea:
      out->push_back('"');
      append_base64(column.values<StringRef>()[row].view(), out);
      out->push_back('"');
      return;
    case TypeId::kInterval:
      append_quoted(interval_to_iso(column.values<int64_t>()[row]), out);
      return;
    case TypeId::kDouble:
      // NaN and the infinities are no JSON numbers.
      if (!std::isfinite(column.values<double>()[row])) break;
      *out += to_text(value_at(column, row));
      return;
    case TypeId::kNumeric:
    case TypeId::kTimestamptz:
    case TypeId::kDate:
    case TypeId::kNull:
      break;
  }
  append_quoted(to_text(value_at(column, row)), out);
}

}  // namespace

void append_json_string(std::string_view text, std::string* out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out->push_back('"');
  size_t plain = 0;  // what stands as it is, and has not been appended yet
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        *out += "\\\"";
        break;
      case '\\':
        *out += "\\\\";
        break;
      case '\n':
        *out += "\\n";
        break;
      case '\r':
        *out += "\\r";
        break;
      case '\t':
        *out += "\\t";
        break;
      default:
        *out += "\\u00";
        out->push_back(kHex[static_cast<uint8_t>(c) >> 4]);
        out->push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
  }
  out->append(text, plain);
  out->push_back('"');
}

void encode_json(std::span<const std::string> names, std::span<const ColumnRef> columns, size_t row,
                 std::string* out) {
  KAPPA_INVARIANT(names.size() == columns.size(), "one name a column");
  out->push_back('{');
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i != 0) out->push_back(',');
    append_json_string(names[i], out);
    out->push_back(':');
    const Column& column = *columns[i];
    if (column.is_null(row) || column.type().id == TypeId::kNull) {
      *out += "null";
    } else {
      append_cell(column, row, out);
    }
  }
  out->push_back('}');
}

}  // namespace kappa::schemas
