#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/types/decimal.h"
#include "engine/types/text.h"
#include "engine/types/value.h"

namespace kappa {
namespace {

Value parsed(Type type, const std::string& text) {
  auto value = parse_value(type, text);
  INFO(text << ": " << value.status());
  REQUIRE(value.ok());
  return *value;
}

std::string refused(Type type, const std::string& text) {
  auto value = parse_value(type, text);
  INFO(text);
  REQUIRE_FALSE(value.ok());
  REQUIRE(value.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

std::string double_text(double value) {
  return to_text(Value::double_precision(value));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("types are named as PostgreSQL names them") {
  CHECK(to_string(Type::boolean()) == "boolean");
  CHECK(to_string(Type::integer()) == "integer");
  CHECK(to_string(Type::bigint()) == "bigint");
  CHECK(to_string(Type::double_precision()) == "double precision");
  CHECK(to_string(Type::numeric(12, 2)) == "numeric(12,2)");
  CHECK(to_string(Type::text()) == "text");
  CHECK(to_string(Type::bytea()) == "bytea");
  CHECK(to_string(Type::timestamptz()) == "timestamp with time zone");
  CHECK(to_string(Type::date()) == "date");
  CHECK(to_string(Type::interval()) == "interval");
  CHECK(to_string(Type::null()) == "unknown");
}

TEST_CASE("values of every type are written as scenario files show them") {
  CHECK(to_text(Value::boolean(true)) == "true");
  CHECK(to_text(Value::boolean(false)) == "false");
  CHECK(to_text(Value::integer(-7)) == "-7");
  CHECK(to_text(Value::bigint(std::numeric_limits<int64_t>::min())) == "-9223372036854775808");
  CHECK(to_text({Type::numeric(12, 2), int64_t{1250}}) == "12.50");
  CHECK(to_text({Type::numeric(38, 1), int128{-5}}) == "-0.5");
  CHECK(to_text(Value::text("as it is")) == "as it is");
  CHECK(to_text({Type::bytea(), std::string("\0\xab", 2)}) == "\\x00ab");
  CHECK(to_text(Value::timestamptz(500'000)) == "1970-01-01T00:00:00.5Z");
  CHECK(to_text({Type::date(), int32_t{1}}) == "1970-01-02");
  CHECK(to_text({Type::interval(), int64_t{60'000'000}}) == "00:01:00");
  CHECK(to_text(Value::null(Type::text())) == "NULL");
}

TEST_CASE("doubles are written in the fewest digits that read back the same") {
  CHECK(double_text(0.1) == "0.1");
  CHECK(double_text(0) == "0");
  CHECK(double_text(-0.0) == "-0");
  CHECK(double_text(100000) == "100000");
  CHECK(double_text(1.0 / 3) == "0.3333333333333333");
  CHECK(double_text(123456789012345) == "123456789012345");
  CHECK(double_text(1e15) == "1e+15");
  CHECK(double_text(1e-4) == "0.0001");
  CHECK(double_text(1e-5) == "1e-05");
  CHECK(double_text(5e-324) == "5e-324");
  CHECK(double_text(1.7976931348623157e308) == "1.7976931348623157e+308");
  CHECK(double_text(kNan) == "NaN");
  CHECK(double_text(kInfinity) == "Infinity");
  CHECK(double_text(-kInfinity) == "-Infinity");
}

TEST_CASE("every double reads back as it was written") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto number = std::bit_cast<double>(random());
    if (std::isnan(number)) continue;
    REQUIRE(parsed(Type::double_precision(), double_text(number)) ==
            Value::double_precision(number));
  }
}

TEST_CASE("text is read as a cast to its type reads it") {
  CHECK(parsed(Type::boolean(), " TRUE ") == Value::boolean(true));
  CHECK(parsed(Type::boolean(), "f") == Value::boolean(false));
  CHECK(parsed(Type::boolean(), "yes") == Value::boolean(true));
  CHECK(parsed(Type::boolean(), "of") == Value::boolean(false));
  CHECK(parsed(Type::boolean(), "on") == Value::boolean(true));
  CHECK(parsed(Type::integer(), " +12 ") == Value::integer(12));
  CHECK(parsed(Type::integer(), "-2147483648") ==
        Value::integer(std::numeric_limits<int32_t>::min()));
  CHECK(parsed(Type::bigint(), "9223372036854775807") ==
        Value::bigint(std::numeric_limits<int64_t>::max()));
  CHECK(parsed(Type::double_precision(), "1.5e3") == Value::double_precision(1500));
  CHECK(parsed(Type::double_precision(), " -inf ") == Value::double_precision(-kInfinity));
  CHECK(std::isnan(std::get<double>(parsed(Type::double_precision(), "nan").data)));
  CHECK(parsed(Type::numeric(4, 2), "12.345") == Value{Type::numeric(4, 2), int64_t{1235}});
  CHECK(parsed(Type::numeric(20, 0), " 1e19 ") == Value{Type::numeric(20, 0), power_of_ten(19)});
  CHECK(parsed(Type::text(), " as is ") == Value::text(" as is "));
  CHECK(parsed(Type::bytea(), "\\x00Ff") == Value{Type::bytea(), std::string("\0\xff", 2)});
  CHECK(parsed(Type::bytea(), "\\x") == Value{Type::bytea(), std::string()});
  CHECK(parsed(Type::bytea(), "a\\\\b\\001") == Value{Type::bytea(), std::string("a\\b\001")});
  CHECK(parsed(Type::timestamptz(), " 1970-01-01T00:00:01Z") == Value::timestamptz(1'000'000));
  CHECK(parsed(Type::date(), "1970-01-02 ") == Value{Type::date(), int32_t{1}});
  CHECK(parsed(Type::interval(), "1 minute") == Value{Type::interval(), int64_t{60'000'000}});
  CHECK(parsed(Type::null(), "x") == Value::text("x"));
}

TEST_CASE("text that is no value of its type is refused with what would be right") {
  CHECK(refused(Type::boolean(), "maybe") ==
        "invalid input for boolean: \"maybe\"; expected true or false");
  CHECK(refused(Type::boolean(), "o").find("expected true or false") != std::string::npos);
  CHECK(refused(Type::boolean(), "").find("expected true or false") != std::string::npos);
  CHECK(refused(Type::integer(), "12.5") ==
        "invalid input for integer: \"12.5\"; expected an integer");
  CHECK(refused(Type::integer(), "2147483648") == "value out of range for integer: \"2147483648\"");
  CHECK(refused(Type::integer(), "") == "invalid input for integer: \"\"; expected an integer");
  CHECK(refused(Type::bigint(), "9223372036854775808").find("out of range") != std::string::npos);
  CHECK(refused(Type::bigint(), "+-1").find("expected an integer") != std::string::npos);
  CHECK(refused(Type::double_precision(), "1e400").find("out of range") != std::string::npos);
  CHECK(refused(Type::double_precision(), "nan(7)").find("expected a number") != std::string::npos);
  CHECK(refused(Type::double_precision(), "--1").find("expected a number") != std::string::npos);
  CHECK(refused(Type::numeric(4, 2), "100").find("out of range") != std::string::npos);
  CHECK(refused(Type::numeric(4, 2), "1e400").find("out of range") != std::string::npos);
  CHECK(refused(Type::numeric(4, 2), "x").find("a number like") != std::string::npos);
  CHECK(refused(Type::bytea(), "\\x0").find("hex") != std::string::npos);
  CHECK(refused(Type::bytea(), "\\x0g").find("hex") != std::string::npos);
  CHECK(refused(Type::bytea(), "\\9").find("hex") != std::string::npos);
  CHECK(refused(Type::timestamptz(), "yesterday").find("a time like") != std::string::npos);
  CHECK(refused(Type::date(), "2001-02-29").find("a date like") != std::string::npos);
  CHECK(refused(Type::interval(), "1 month").find("vary in length") != std::string::npos);
  CHECK(refused(Type::interval(), "soon").find("an interval like") != std::string::npos);
}

TEST_CASE("an excerpt is bounded, cut between characters, and escapes what cannot be seen") {
  CHECK(excerpt("short") == "\"short\"");
  CHECK(excerpt("a\nb") == "\"a\\nb\"");
  CHECK(excerpt("a\"b\\c\x01\x7f") == R"("a\"b\\c\x01\x7f")");
  CHECK(excerpt("gr\u00fc\u00df \U0001F600") == "\"gr\u00fc\u00df \U0001F600\"");
  for (const char* broken : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82",
                             "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xe0\x80\x80"}) {
    for (const char c : excerpt(broken)) CHECK(static_cast<uint8_t>(c) < 0x80);
  }
  CHECK(excerpt(std::string(100, 'x')) == "\"" + std::string(64, 'x') + "…\"");
  CHECK(excerpt(std::string(63, 'x') + "€€") == "\"" + std::string(63, 'x') + "…\"");
}

TEST_CASE("the closest name is found, if one is near") {
  const std::vector<std::string> names = {"amount", "card_id", "store_id"};
  CHECK(closest_name("amuont", names) == "amount");
  CHECK(closest_name("Card_ID", names) == "card_id");
  CHECK(closest_name("stor_id", names) == "store_id");
  CHECK(closest_name("banana", names).empty());
  CHECK(closest_name("x", {}).empty());
}

TEST_CASE("values compare in SQL's order") {
  const auto less = [](const Value& a, const Value& b) {
    return compare_values(a, b) == -1 && compare_values(b, a) == 1 && compare_values(a, a) == 0;
  };
  CHECK(less(Value::boolean(false), Value::boolean(true)));
  CHECK(less(Value::integer(-1), Value::integer(0)));
  CHECK(less(Value::bigint(-1), Value::bigint(1)));
  CHECK(less({Type::numeric(38, 2), int128{-1}}, {Type::numeric(38, 2), int128{1}}));
  CHECK(less(Value::text("a"), Value::text("b")));
  CHECK(less(Value::text("a"), Value::text("aa")));
  CHECK(less(Value::text("z"), Value::text("\xc3\xa4")));  // by bytes, unsigned
  CHECK(less(Value::double_precision(1), Value::double_precision(kInfinity)));
  CHECK(less(Value::double_precision(kInfinity), Value::double_precision(kNan)));
  CHECK(less(Value::double_precision(-kInfinity), Value::double_precision(-1)));
  CHECK(compare_values(Value::double_precision(-0.0), Value::double_precision(0.0)) == 0);
}

TEST_CASE("every kind of value goes into a column and comes out the same") {
  Arena arena;
  const std::vector<Value> values = {Value::boolean(true),
                                     Value::integer(-5),
                                     Value::bigint(1LL << 40),
                                     Value::double_precision(0.5),
                                     {Type::numeric(18, 3), int64_t{-12345}},
                                     {Type::numeric(38, 3), int128{1} << 90},
                                     Value::text("text"),
                                     {Type::bytea(), std::string("\0\x01", 2)},
                                     Value::timestamptz(77),
                                     {Type::date(), int32_t{3}},
                                     {Type::interval(), int64_t{9}}};
  for (const Value& value : values) {
    Column column(value.type);
    append_value(column, Value::null(value.type), arena);
    append_value(column, value, arena);
    CHECK(value_at(column, 0) == Value::null(value.type));
    CHECK(value_at(column, 1) == value);
  }
}

}  // namespace kappa
