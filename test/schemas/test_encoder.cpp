#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/types/decimal.h"
#include "schemas/encoder.h"
#include "schemas/json_decoder.h"
#include "test/schemas/payloads.h"

namespace kappa::schemas {
namespace {

std::string encoded(const std::vector<Value>& row) {
  Arena arena;
  std::vector<std::string> names;
  std::vector<ColumnRef> columns;
  for (size_t i = 0; i < row.size(); ++i) {
    Column column(row[i].type);
    append_value(column, Value::null(row[i].type), arena);
    append_value(column, row[i], arena);
    columns.push_back(std::make_shared<const Column>(std::move(column)));
    names.push_back(std::string(1, static_cast<char>('a' + i)));
  }
  std::string out;
  encode_json(names, columns, 1, &out);
  return out;
}

}  // namespace

TEST_CASE("each type is written to json by the type table") {
  CHECK(encoded({Value::boolean(true), Value::boolean(false)}) == R"({"a":true,"b":false})");
  CHECK(encoded({Value::integer(-5)}) == R"({"a":-5})");
  CHECK(encoded({{Type::numeric(12, 2), int64_t{1250}}}) == R"({"a":"12.50"})");
  CHECK(encoded({{Type::numeric(38, 0), power_of_ten(30)}}) ==
        R"({"a":"1000000000000000000000000000000"})");
  CHECK(encoded({Value::double_precision(0.1)}) == R"({"a":0.1})");
  CHECK(encoded({Value::double_precision(1e300)}) == R"({"a":1e+300})");
  CHECK(encoded({{Type::bytea(), std::string("\0\x01\x02\xff", 4)}}) == R"({"a":"AAEC/w=="})");
  CHECK(encoded({Value::timestamptz(1'500'000)}) == R"({"a":"1970-01-01T00:00:01.5Z"})");
  CHECK(encoded({{Type::date(), int32_t{1}}}) == R"({"a":"1970-01-02"})");
  CHECK(encoded({{Type::interval(), int64_t{300'000'000}}}) == R"({"a":"PT5M"})");
  CHECK(encoded({Value::null(Type::text())}) == R"({"a":null})");
  CHECK(encoded({}) == "{}");
}

TEST_CASE("bigints beyond what a double holds are written as strings") {
  const int64_t exact = int64_t{1} << 53;
  CHECK(encoded({Value::bigint(exact)}) == R"({"a":9007199254740992})");
  CHECK(encoded({Value::bigint(-exact)}) == R"({"a":-9007199254740992})");
  CHECK(encoded({Value::bigint(exact + 1)}) == R"({"a":"9007199254740993"})");
  CHECK(encoded({Value::bigint(std::numeric_limits<int64_t>::min())}) ==
        R"({"a":"-9223372036854775808"})");
}

TEST_CASE("what JSON has no number for is written as a string") {
  CHECK(encoded({Value::double_precision(std::numeric_limits<double>::quiet_NaN())}) ==
        R"({"a":"NaN"})");
  CHECK(encoded({Value::double_precision(-std::numeric_limits<double>::infinity())}) ==
        R"({"a":"-Infinity"})");
}

TEST_CASE("text is escaped where JSON needs it") {
  CHECK(encoded({Value::text("a\"b\\c\n\r\t\x01\x1f/\u00e4")}) ==
        "{\"a\":\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f/\u00e4\"}");
  std::string every_byte;
  for (int c = 1; c < 128; ++c) every_byte.push_back(static_cast<char>(c));
  CHECK(nlohmann::json::parse(encoded({Value::text(every_byte)}))["a"] == every_byte);
}

TEST_CASE("what is written is read back the same") {
  const std::vector<Value> row = {Value::boolean(true),
                                  Value::integer(-5),
                                  Value::bigint(std::numeric_limits<int64_t>::max()),
                                  Value::double_precision(0.30000000000000004),
                                  {Type::numeric(12, 2), int64_t{-1250}},
                                  {Type::numeric(38, 3), power_of_ten(36)},
                                  Value::text("\"\\ \u00e4 \U0001F600 \n"),
                                  {Type::bytea(), std::string("\0\xff", 2)},
                                  Value::timestamptz(-1),
                                  {Type::date(), int32_t{-1}},
                                  {Type::interval(), int64_t{-90'061'000'001}},
                                  Value::null(Type::bigint())};
  Source source;
  for (size_t i = 0; i < row.size(); ++i) {
    source.columns.push_back(column_of(std::string(1, static_cast<char>('a' + i)), row[i].type));
  }
  const auto decoder = make_json_decoder(source, all_of(source));
  Payloads payloads;
  payloads.add(encoded(row));
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  REQUIRE(decoded.records.size() == 1);
  for (size_t i = 0; i < row.size(); ++i) CHECK(value_at(decoded.columns[i], 0) == row[i]);
}

TEST_CASE("names are escaped like text, and rows follow one another in the output") {
  Column column(Type::integer(), 2);
  const std::vector<ColumnRef> columns = {std::make_shared<const Column>(std::move(column))};
  const std::vector<std::string> names = {"a\"b"};
  std::string out = "before ";
  encode_json(names, columns, 0, &out);
  encode_json(names, columns, 1, &out);
  CHECK(out == "before {\"a\\\"b\":0}{\"a\\\"b\":0}");
}

}  // namespace kappa::schemas
