#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "schemas/json_decoder.h"
#include "test/schemas/payloads.h"

namespace kappa::schemas {
namespace {

Source source_of(std::vector<SourceColumn> columns) {
  Source source;
  source.name = source.topic = "t";
  source.columns = std::move(columns);
  return source;
}

// The cell that a column of `type` takes from a JSON value, or the reason why none. The value is
// read three times: first by the slow path, then by the shape learnt from it, and by the shape
// learnt from an ordinary record; all must agree.
std::string cell(const SourceColumn& column, const std::string& json) {
  const Source source = source_of({column_of("id", Type::bigint()), column});
  const std::string payload = R"({"id":7,")" + column.field + R"(":)" + json + R"(,"z":1})";
  std::vector<std::string> results;
  for (const JsonPath path : {JsonPath::kSlowOnly, JsonPath::kLearning}) {
    const auto decoder = make_json_decoder(source, {1}, path);
    Payloads payloads;
    payloads.add(R"({"id":7,")" + column.field + R"(":null,"z":1})");
    payloads.add(payload);
    payloads.add(payload);
    Arena arena;
    Decoded decoded;
    decoder->decode(payloads.records(), arena, &decoded);
    for (size_t row = 0; row < decoded.records.size(); ++row) {
      if (decoded.records[row] > 0) results.push_back(row_of(decoded, row)[0]);
    }
    for (const Malformed& malformed : decoded.malformed) {
      if (malformed.record > 0) results.push_back(malformed.reason);
    }
  }
  REQUIRE(results.size() == 4);
  for (const std::string& result : results) REQUIRE(result == results[0]);
  return results[0];
}

std::string cell(Type type, const std::string& json) {
  return cell(column_of("c", type), json);
}

bool refused(Type type, const std::string& json) {
  const std::string result = cell(type, json);
  INFO(result);
  REQUIRE(result.rfind("column c: expected ", 0) == 0);
  return true;
}

SourceColumn epoch_column(Type type, TimeUnit unit) {
  SourceColumn column = column_of("c", type);
  column.unit = unit;
  return column;
}

// The reason why a payload is malformed for a source of one optional column, or the cell.
std::string result_of(const std::string& payload) {
  const Source source = source_of({column_of("a", Type::bigint())});
  const auto decoder = make_json_decoder(source, {0});
  Payloads payloads;
  payloads.add(payload);
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  if (!decoded.malformed.empty()) return decoded.malformed[0].reason;
  return row_of(decoded, 0)[0];
}

}  // namespace

TEST_CASE("json booleans are true and false and nothing else") {
  CHECK(cell(Type::boolean(), "true") == "true");
  CHECK(cell(Type::boolean(), "false") == "false");
  CHECK(cell(Type::boolean(), "null") == "NULL");
  CHECK(cell(Type::boolean(), "1") == "column c: expected true or false, got 1");
  CHECK(refused(Type::boolean(), R"("true")"));
}

TEST_CASE("json integers are whole numbers within their range") {
  CHECK(cell(Type::integer(), "0") == "0");
  CHECK(cell(Type::integer(), "-0") == "0");
  CHECK(cell(Type::integer(), "2147483647") == "2147483647");
  CHECK(cell(Type::integer(), "-2147483648") == "-2147483648");
  CHECK(cell(Type::integer(), "1e3") == "1000");
  CHECK(cell(Type::integer(), "5.0") == "5");
  CHECK(cell(Type::integer(), "2147483648") ==
        "column c: expected a whole number from -2147483648 to 2147483647, got 2147483648");
  CHECK(refused(Type::integer(), "-2147483649"));
  CHECK(refused(Type::integer(), "5.5"));
  CHECK(refused(Type::integer(), R"("5")"));
  CHECK(refused(Type::integer(), "99999999999999999999999999"));
  CHECK(refused(Type::integer(), "{}"));
  CHECK(refused(Type::integer(), "[1]"));
}

TEST_CASE("json bigints are whole numbers or strings of them") {
  CHECK(cell(Type::bigint(), "9223372036854775807") == "9223372036854775807");
  CHECK(cell(Type::bigint(), "-9223372036854775808") == "-9223372036854775808");
  CHECK(cell(Type::bigint(), "123456789012345678") == "123456789012345678");
  CHECK(cell(Type::bigint(), R"("9223372036854775807")") == "9223372036854775807");
  CHECK(cell(Type::bigint(), R"("-1")") == "-1");
  CHECK(refused(Type::bigint(), "9223372036854775808"));
  CHECK(refused(Type::bigint(), R"("9223372036854775808")"));
  CHECK(refused(Type::bigint(), R"("")"));
  CHECK(refused(Type::bigint(), R"("x")"));
  CHECK(refused(Type::bigint(), "1.5"));
  CHECK(refused(Type::bigint(), "true"));
}

TEST_CASE("json numerics are exact and never pass through a double") {
  CHECK(cell(Type::numeric(12, 2), "12.50") == "12.50");
  CHECK(cell(Type::numeric(12, 2), "12.5") == "12.50");
  CHECK(cell(Type::numeric(12, 2), "12") == "12.00");
  CHECK(cell(Type::numeric(12, 2), "-0.01") == "-0.01");
  CHECK(cell(Type::numeric(12, 2), R"("12.5")") == "12.50");
  CHECK(cell(Type::numeric(12, 2), "12.500") == "12.50");
  CHECK(cell(Type::numeric(12, 2), "1.25e1") == "12.50");
  CHECK(cell(Type::numeric(18, 0), "999999999999999999") == "999999999999999999");
  CHECK(cell(Type::numeric(38, 2), "123456789012345678901234567890123456.78") ==
        "123456789012345678901234567890123456.78");
  CHECK(cell(Type::numeric(38, 20), "0.1") == "0.10000000000000000000");
  CHECK(cell(Type::numeric(12, 2), "12.505") ==
        "column c: expected a number (or a string of one) with at most 10 digits before and 2 "
        "after the point, got 12.505");
  CHECK(refused(Type::numeric(12, 2), "10000000000"));
  CHECK(cell(Type::numeric(12, 2), "9999999999.99") == "9999999999.99");
  CHECK(refused(Type::numeric(12, 2), R"("x")"));
  CHECK(refused(Type::numeric(12, 2), R"("")"));
  CHECK(refused(Type::numeric(12, 2), "true"));
  CHECK(refused(Type::numeric(2, 2), "1"));
}

TEST_CASE("json doubles read back the digits they were written with") {
  CHECK(cell(Type::double_precision(), "0.1") == "0.1");
  CHECK(cell(Type::double_precision(), "-0.0") == "-0");
  CHECK(cell(Type::double_precision(), "100") == "100");
  CHECK(cell(Type::double_precision(), "1e300") == "1e+300");
  CHECK(cell(Type::double_precision(), "0.30000000000000004") == "0.30000000000000004");
  CHECK(cell(Type::double_precision(), "123456789012345678") == "1.2345678901234568e+17");
  CHECK(cell(Type::double_precision(), "9007199254740993") == "9.007199254740992e+15");
  CHECK(cell(Type::double_precision(), "5e-324") == "5e-324");
  CHECK(cell(Type::double_precision(), R"("NaN")") == "NaN");
  CHECK(cell(Type::double_precision(), R"("-Infinity")") == "-Infinity");
  CHECK(refused(Type::double_precision(), "1e400"));
  CHECK(refused(Type::double_precision(), "1e-400"));
  CHECK(refused(Type::double_precision(), R"("1.5")"));
  CHECK(refused(Type::double_precision(), R"("nan")"));
}

TEST_CASE("json text is UTF-8 with all escapes resolved") {
  CHECK(cell(Type::text(), R"("plain")") == "plain");
  CHECK(cell(Type::text(), R"("")").empty());
  CHECK(cell(Type::text(), R"("a\"b\\c\/d\n\u00e4\ud83d\ude00")") == "a\"b\\c/d\n\u00e4\U0001F600");
  CHECK(cell(Type::text(), "\"gr\u00fc\u00df Gott \U0001F600\"") ==
        "gr\u00fc\u00df Gott \U0001F600");
  CHECK(cell(Type::text(), "\"" + std::string(1000, 'x') + "\"") == std::string(1000, 'x'));
  CHECK(cell(Type::text(), R"("a\u0000b")") ==
        "column c: expected a string of at most 16 MiB, without the character \\u0000, got "
        "\"a\\\\u0000b\"");
  CHECK(refused(Type::text(), "5"));
  CHECK(refused(Type::text(), "true"));
  CHECK(refused(Type::text(), R"({"a":[1,2]})"));
}

TEST_CASE("json text ends at 16 MiB") {
  const std::string longest(kTextBytesMax, 'x');
  CHECK(cell(Type::text(), "\"" + longest + "\"") == longest);
  CHECK(refused(Type::text(), "\"x" + longest + "\""));
}

TEST_CASE("json bytea is base64") {
  CHECK(cell(Type::bytea(), R"("AAEC/w==")") == "\\x000102ff");
  CHECK(cell(Type::bytea(), R"("AAEC/w")") == "\\x000102ff");
  CHECK(cell(Type::bytea(), R"("AAEC\/w==")") == "\\x000102ff");
  CHECK(cell(Type::bytea(), R"("AAEC")") == "\\x000102");
  CHECK(cell(Type::bytea(), R"("")") == "\\x");
  CHECK(refused(Type::bytea(), R"("A")"));
  CHECK(refused(Type::bytea(), R"("AAEC/x==")"));
  CHECK(refused(Type::bytea(), R"("AA=C")"));
  CHECK(refused(Type::bytea(), R"("AA-_")"));
  CHECK(refused(Type::bytea(), "1"));
}

TEST_CASE("json times are RFC 3339, or SQL's notation in UTC") {
  const Type type = Type::timestamptz();
  CHECK(cell(type, R"("2015-07-15 00:08:19.999")") == "2015-07-15T00:08:19.999Z");
  CHECK(cell(type, R"("2015-07-15T00:08:19.999Z")") == "2015-07-15T00:08:19.999Z");
  CHECK(cell(type, R"("2015-07-15T00:08:19Z")") == "2015-07-15T00:08:19Z");
  CHECK(cell(type, R"("2015-07-15T00:08:19.123456+02:00")") == "2015-07-14T22:08:19.123456Z");
  CHECK(cell(type, R"("2015-07-15")") == "2015-07-15T00:00:00Z");
  CHECK(cell(type, R"("2015-07-15 10:30")") == "2015-07-15T10:30:00Z");
  CHECK(cell(type, R"("2016-12-31T23:59:60Z")") == "2017-01-01T00:00:00Z");
  CHECK(cell(type, R"("1969-12-31 23:59:59.5")") == "1969-12-31T23:59:59.5Z");
  CHECK(cell(type, R"("yesterday")") ==
        "column c: expected a time like 2018-04-01T00:00:31.5Z with at most six fraction digits, "
        "got \"yesterday\"");
  CHECK(refused(type, R"("2015-07-15 00:08:19.1234567")"));
  CHECK(refused(type, R"("2015-02-29 00:00:00")"));
  CHECK(refused(type, R"("2015-07-15 24:00:00")"));
  CHECK(refused(type, R"("2015-07-15x00:00:00")"));
  CHECK(refused(type, R"("2015-07-15 00:00:00.")"));
  CHECK(refused(type, "1436918899999"));
}

TEST_CASE("json epochs are read by the unit of their column") {
  const Type type = Type::timestamptz();
  CHECK(cell(epoch_column(type, TimeUnit::kSeconds), "1436918899") == "2015-07-15T00:08:19Z");
  CHECK(cell(epoch_column(type, TimeUnit::kSeconds), "1436918899.5") == "2015-07-15T00:08:19.5Z");
  CHECK(cell(epoch_column(type, TimeUnit::kMillis), "1436918899999") == "2015-07-15T00:08:19.999Z");
  CHECK(cell(epoch_column(type, TimeUnit::kMicros), "-1") == "1969-12-31T23:59:59.999999Z");
  CHECK(cell(epoch_column(type, TimeUnit::kNanos), "1999") == "1970-01-01T00:00:00.000001Z");
  CHECK(cell(epoch_column(type, TimeUnit::kNanos), "-1") == "1969-12-31T23:59:59.999999Z");
  CHECK(cell(epoch_column(type, TimeUnit::kMillis), R"("1970-01-01T00:00:01Z")") ==
        "1970-01-01T00:00:01Z");
  CHECK(cell(epoch_column(type, TimeUnit::kMillis), "0.0001") ==
        "column c: expected a time like 2018-04-01T00:00:31.5Z with at most six fraction digits, "
        "or milliseconds since 1970, got 0.0001");
  CHECK(cell(epoch_column(type, TimeUnit::kSeconds), "1436918899999").find("got 1436918899999") !=
        std::string::npos);
  CHECK(cell(epoch_column(type, TimeUnit::kNanos), "-999999999999999999") ==
        "1938-04-24T22:13:20Z");
  CHECK(cell(epoch_column(type, TimeUnit::kMillis), "253402300799999") ==
        "9999-12-31T23:59:59.999Z");
  for (const TimeUnit unit : {TimeUnit::kSeconds, TimeUnit::kMillis, TimeUnit::kMicros}) {
    CHECK(cell(epoch_column(type, unit), "999999999999999999").find("since 1970, got 9999") !=
          std::string::npos);
  }
  CHECK(cell(epoch_column(Type::date(), TimeUnit::kMillis), "-1") == "1969-12-31");
  CHECK(cell(epoch_column(Type::date(), TimeUnit::kSeconds), "86400") == "1970-01-02");
}

TEST_CASE("json dates and intervals are ISO text") {
  CHECK(cell(Type::date(), R"("2015-07-15")") == "2015-07-15");
  CHECK(refused(Type::date(), R"("2015-07-15T00:00:00Z")"));
  CHECK(refused(Type::date(), "16631"));
  CHECK(cell(Type::interval(), R"("PT5M")") == "00:05:00");
  CHECK(cell(Type::interval(), R"("1 day 02:00:00")") == "1 day 02:00:00");
  CHECK(refused(Type::interval(), R"("1 month")"));
  CHECK(refused(Type::interval(), "5"));
}

TEST_CASE("a payload that is not one JSON object is malformed") {
  CHECK(result_of("{\"a\":1}") == "1");
  CHECK(result_of(" \t\r\n{ \"a\" : 1 } \n") == "1");
  CHECK(result_of("{}") == "NULL");
  for (const char* payload : {"",
                              " ",
                              "null",
                              "1",
                              "\"a\"",
                              "[1]",
                              "{",
                              "}",
                              "{\"a\":1",
                              "{\"a\":1}}",
                              "{\"a\":1} x",
                              "{\"a\":1}{}",
                              "{\"a\":1,}",
                              "{\"a\" 1}",
                              "{\"a\":}",
                              "{a:1}",
                              "{\"a\":1 2}",
                              "{'a':1}",
                              "{\"a\":01}",
                              "{\"a\":+1}",
                              "{\"a\":1.}",
                              "{\"a\":.5}",
                              "{\"a\":1e}",
                              "{\"a\":tru}",
                              "{\"a\":truee}",
                              "{\"a\":nul}",
                              "{\"a\":NaN}",
                              "{\"a\":\"1\":2}}",
                              "{\"a\":\"1}",
                              "{\"a\":\"\\x\"}",
                              "{\"a\":1,\"b\":\"\\u12\"}",
                              "{\"a\":1,\"b\":\"\\ud800\"}",
                              "{\"a\":1,\"b\":\"\n\"}",
                              "{\"a\":1,\"b\":\"\xff\"}",
                              "{\"a\":1,\"b\":\"\xc3\"}",
                              "{\"a\":1,\"b\":[1,2}",
                              "{\"a\":1,\"b\":{\"c\":1]}",
                              "{\"a\":1,\"b\":[1,]}",
                              "{\"a\":1,\"b\":[,1]}",
                              "{\"a\":1,\"b\":{\"c\"}}",
                              "{\"a\":1,\"b\":{\"c\":01}}",
                              "{\"a\":1,\"b\":\"x\":1}",
                              "{\"a\":1,\"b\":[\"x\":1]}",
                              "{\"a\":1,\"b\":{\"c\":\"x\":1}}",
                              "{\"a\":1,\"\\x\":1}",
                              "{\"a\":1,\"b\":[1 2]}",
                              "{\"a\":1,\"b\":[tru]}",
                              "{\"a\":1,\"b\":-}",
                              "\xef\xbb\xbf{\"a\":1}",
                              "{\"a\":1}\xff"}) {
    const std::string result = result_of(payload);
    INFO(payload << " -> " << result);
    CHECK(result.size() > 10);
    CHECK((result.rfind("not valid JSON: ", 0) == 0 ||
           result.rfind("expected a JSON object", 0) == 0 ||
           result.rfind("column a: expected", 0) == 0));
  }
}

TEST_CASE("a null payload is malformed") {
  const Source source = source_of({column_of("a", Type::bigint())});
  const auto decoder = make_json_decoder(source, {0});
  Payloads payloads;
  payloads.add_null();
  payloads.add("{\"a\":1}");
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  REQUIRE(decoded.malformed.size() == 1);
  CHECK(decoded.malformed[0].record == 0);
  CHECK(decoded.malformed[0].reason == "expected a JSON object, got a null payload");
  CHECK(decoded.records == std::vector<uint32_t>{1});
}

TEST_CASE("undeclared fields are skipped whatever they hold, but must be JSON") {
  CHECK(result_of(R"({"x":{"a":5,"y":[1,{"a":2},null,"s\n"]},"a":1,"z":1e999})") == "1");
  CHECK(result_of(R"({"x":1,"x":2,"a":1})") == "1");
  const std::string deep = std::string(90, '[') + std::string(90, ']');
  CHECK(result_of(R"({"a":1,"x":)" + deep + "}") == "1");
  const std::string deeper = std::string(200, '[') + std::string(200, ']');
  CHECK(result_of(R"({"a":1,"x":)" + deeper + "}").rfind("nested deeper than 100 levels", 0) == 0);
}

TEST_CASE("a declared field that is given twice is malformed") {
  CHECK(result_of(R"({"a":1,"a":1})") == "column a: field \"a\" is given twice");
  CHECK(result_of(R"({"a":1,"\u0061":2})") == "column a: field \"a\" is given twice");
}

TEST_CASE("a key with escapes names its field all the same") {
  CHECK(result_of(R"({"\u0061":5})") == "5");
}

TEST_CASE("a required column must be there and not be null") {
  Source source = source_of({column_of("k", Type::text()), column_of("t", Type::timestamptz()),
                             column_of("n", Type::bigint()), column_of("o", Type::bigint())});
  source.primary_key = {0};
  source.event_time = 1;
  source.columns[2].not_null = true;
  for (const JsonPath path : {JsonPath::kSlowOnly, JsonPath::kLearning}) {
    const auto decoder = make_json_decoder(source, {3}, path);
    Payloads payloads;
    payloads.add(R"({"k":"x","t":"2015-07-15T00:00:00Z","n":1,"o":2})");
    payloads.add(R"({"k":null,"t":"2015-07-15T00:00:00Z","n":1,"o":2})");
    payloads.add(R"({"k":"x","t":null,"n":1,"o":2})");
    payloads.add(R"({"k":"x","t":"2015-07-15T00:00:00Z","n":null,"o":2})");
    payloads.add(R"({"k":"x","t":"2015-07-15T00:00:00Z","o":2})");
    payloads.add(R"({"k":"x","t":"2015-07-15T00:00:00Z","n":1})");
    payloads.add(R"({"k":"x","t":"2015-07-15T00:00:00Z","n":1,"o":null})");
    Arena arena;
    Decoded decoded;
    decoder->decode(payloads.records(), arena, &decoded);
    CHECK(decoded.records == std::vector<uint32_t>{0, 5, 6});
    CHECK(row_of(decoded, 1) == std::vector<std::string>{"NULL"});
    CHECK(row_of(decoded, 2) == std::vector<std::string>{"NULL"});
    REQUIRE(decoded.malformed.size() == 4);
    CHECK(decoded.malformed[0].reason.rfind("column k: must not be null; expected a string", 0) ==
          0);
    CHECK(decoded.malformed[1].reason.rfind("column t: must not be null; expected a time", 0) == 0);
    CHECK(decoded.malformed[2].reason.rfind("column n: must not be null; expected a whole", 0) ==
          0);
    CHECK(decoded.malformed[3].reason.rfind("column n: field \"n\" is missing", 0) == 0);
  }
}

TEST_CASE("a column that nobody wants is checked all the same") {
  const Source source = source_of({column_of("a", Type::bigint()), column_of("b", Type::text())});
  for (const JsonPath path : {JsonPath::kSlowOnly, JsonPath::kLearning}) {
    const auto decoder = make_json_decoder(source, {0}, path);
    Payloads payloads;
    for (int i = 0; i < 2; ++i) payloads.add(R"({"a":1,"b":"x"})");
    payloads.add(R"({"a":1,"b":5})");
    payloads.add("{\"a\":1,\"b\":\"\xff\"}");
    payloads.add(R"({"a":2,"b":null})");
    Arena arena;
    Decoded decoded;
    decoder->decode(payloads.records(), arena, &decoded);
    CHECK(decoded.columns.size() == 1);
    CHECK(decoded.records == std::vector<uint32_t>{0, 1, 4});
    REQUIRE(decoded.malformed.size() == 2);
    CHECK(decoded.malformed[0].reason.rfind("column b: expected a string", 0) == 0);
    CHECK(decoded.malformed[1].reason.rfind("not valid JSON", 0) == 0);
  }
}

TEST_CASE("a decoder that wants no column still counts the well-formed records") {
  const Source source = source_of({column_of("a", Type::bigint())});
  const auto decoder = make_json_decoder(source, {});
  Payloads payloads;
  payloads.add(R"({"a":1})");
  payloads.add(R"({"a":"x"})");
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  CHECK(decoded.columns.empty());
  CHECK(decoded.records == std::vector<uint32_t>{0});
  CHECK(decoded.malformed.size() == 1);
}

TEST_CASE("a source without columns takes any object") {
  const auto decoder = make_json_decoder(source_of({}), {});
  Payloads payloads;
  payloads.add(R"({"a":1})");
  payloads.add(R"({"a":[1}})");
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  CHECK(decoded.records == std::vector<uint32_t>{0});
}

TEST_CASE("a field may have another name than its column") {
  SourceColumn column = column_of("event_time", Type::timestamptz());
  column.field = "dateTime";
  CHECK(cell(column, R"("2015-07-15 00:08:19.999")") == "2015-07-15T00:08:19.999Z");
}

TEST_CASE("what one call leaves in the result does not show in the next") {
  const Source source = source_of({column_of("a", Type::bigint()), column_of("b", Type::text())});
  const auto decoder = make_json_decoder(source, {0, 1});
  Arena arena;
  Decoded decoded;
  Payloads first;
  for (int i = 0; i < 10; ++i) first.add(i % 2 == 0 ? R"({"a":1,"b":null})" : R"({"a":"no"})");
  decoder->decode(first.records(), arena, &decoded);
  CHECK(decoded.records.size() == 5);
  CHECK(decoded.malformed.size() == 5);
  Payloads second;
  second.add(R"({"a":2,"b":"x"})");
  decoder->decode(second.records(), arena, &decoded);
  CHECK(decoded.records == std::vector<uint32_t>{0});
  CHECK(decoded.malformed.empty());
  CHECK_FALSE(decoded.columns[1].has_nulls());
  CHECK(row_of(decoded, 0) == std::vector<std::string>{"2", "x"});
}

TEST_CASE("a null left by a half-read record does not stay in the next row") {
  const Source source = source_of({column_of("a", Type::bigint()), column_of("b", Type::bigint())});
  const auto decoder = make_json_decoder(source, {0, 1});
  Payloads payloads;
  payloads.add(R"({"a":null,"b":1})");
  payloads.add(R"({"a":null,"b":"x"})");  // the shape fits, the value does not
  payloads.add(R"({"a":5,"b":2})");
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  REQUIRE(decoded.records == std::vector<uint32_t>{0, 2});
  CHECK(row_of(decoded, 0) == std::vector<std::string>{"NULL", "1"});
  CHECK(row_of(decoded, 1) == std::vector<std::string>{"5", "2"});
}

TEST_CASE("strings without escapes are not copied") {
  const Source source = source_of({column_of("a", Type::text())});
  const auto decoder = make_json_decoder(source, {0});
  Payloads payloads;
  for (int i = 0; i < 3; ++i) payloads.add(R"({"a":"in place"})");
  Arena arena;
  Decoded decoded;
  decoder->decode(payloads.records(), arena, &decoded);
  for (size_t row = 0; row < 3; ++row) {
    CHECK(decoded.columns[0].values<StringRef>()[row].data == payloads.records()[row].value + 6);
  }
  CHECK(arena.bytes_reserved() == 0);
}

TEST_CASE("an excerpt in a reason is bounded") {
  const std::string reason = cell(Type::boolean(), "\"" + std::string(5000, 'x') + "\"");
  CHECK(reason.size() < 200);
}

}  // namespace kappa::schemas
