#include "random_rows.h"

#include <cmath>
#include <limits>

#include "engine/types/arena.h"

namespace kappa::state {

std::string RandomRows::text() {
  static const std::vector<std::string> kTexts = {
      "",
      "a",
      std::string(1, '\0'),
      std::string("a\0b", 3),
      std::string("a\0", 2),
      "\xff\xff",
      "twelve bytes",
      "thirteen byte",
      "thirteen bytf",
      "a much longer text, which lies on the heap",
      "a much longer text, which lies on the heaq",
      std::string(300, 'x'),
  };
  if (chance(0.7)) return kTexts[below(kTexts.size())];
  return std::string(below(20), static_cast<char>('a' + below(3)));
}

Value RandomRows::value(Type type, double null_chance) {
  if (chance(null_chance)) return Value::null(type);
  static const std::vector<int64_t> kEdges = {0,
                                              1,
                                              -1,
                                              127,
                                              -128,
                                              255,
                                              256,
                                              65535,
                                              std::numeric_limits<int32_t>::max(),
                                              std::numeric_limits<int32_t>::min(),
                                              std::numeric_limits<int64_t>::max(),
                                              std::numeric_limits<int64_t>::min()};
  const int64_t integer =
      chance(0.5) ? kEdges[below(kEdges.size())] : static_cast<int64_t>(below(40));
  Value value = Value::null(type);
  switch (type.physical()) {
    case PhysicalType::kInt8:
      value.data = chance(0.5);
      break;
    case PhysicalType::kInt32:
      value.data = static_cast<int32_t>(integer);
      break;
    case PhysicalType::kInt64:
      value.data = integer;
      break;
    case PhysicalType::kInt128:
      value.data = chance(0.5) ? int128{integer} : int128{integer} * 1'000'000'007 * 1'000'000'007;
      break;
    case PhysicalType::kDouble: {
      static const std::vector<double> kDoubles = {0.0,
                                                   -0.0,
                                                   1.5,
                                                   -1.5,
                                                   1e300,
                                                   -1e-300,
                                                   std::numeric_limits<double>::infinity(),
                                                   -std::numeric_limits<double>::infinity(),
                                                   std::nan("")};
      value.data = kDoubles[below(kDoubles.size())];
      break;
    }
    case PhysicalType::kString:
      value.data = text();
      break;
  }
  return value;
}

Row RandomRows::row(const std::vector<Type>& types) {
  Row row;
  for (const Type& type : types) row.push_back(value(type));
  return row;
}

std::vector<ColumnRef> to_columns(const std::vector<Type>& types, const std::vector<Row>& rows) {
  std::vector<ColumnRef> columns;
  for (size_t c = 0; c < types.size(); ++c) {
    Column column(types[c], rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const Value& value = rows[i][c];
      if (value.is_null()) {
        column.set_null(i);
        continue;
      }
      dispatch_physical(types[c].physical(), [&]<typename T>() {
        if constexpr (std::is_same_v<T, StringRef>) {
          const auto& text = std::get<std::string>(value.data);
          column.values<StringRef>()[i] = {text.data(), static_cast<uint32_t>(text.size())};
        } else if constexpr (std::is_same_v<T, int8_t>) {
          column.values<T>()[i] = static_cast<int8_t>(std::get<bool>(value.data));
        } else {
          column.values<T>()[i] = std::get<T>(value.data);
        }
      });
    }
    columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  return columns;
}

std::string to_text(const Row& row) {
  std::string text;
  for (const Value& value : row) text += kappa::to_text(value) + "|";
  return text;
}

}  // namespace kappa::state
