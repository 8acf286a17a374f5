#include "engine/serve/wire.h"

#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "kappa/v1/stamp.pb.h"
#include "kappa/v1/value.pb.h"

namespace kappa::serve {
namespace {

v1::Value wire_of(const Value& value) {
  v1::Value wire;
  to_wire(value, &wire);
  return wire;
}

v1::Value text(const std::string& value) {
  v1::Value wire;
  wire.set_text_value(value);
  return wire;
}
v1::Value integer(int64_t value) {
  v1::Value wire;
  wire.set_int64_value(value);
  return wire;
}
v1::Value decimal(const std::string& value) {
  v1::Value wire;
  wire.set_decimal_value(value);
  return wire;
}

const std::vector<Value>& values_of_every_type() {
  static const std::vector<Value> kValues = {
      Value::boolean(true),
      Value::boolean(false),
      Value::integer(std::numeric_limits<int32_t>::min()),
      Value::bigint(std::numeric_limits<int64_t>::min()),
      Value::bigint(std::numeric_limits<int64_t>::max()),
      Value::double_precision(-0.1),
      Value::double_precision(std::numeric_limits<double>::infinity()),
      Value{Type::numeric(18, 2), int64_t{-1250}},
      Value{Type::numeric(38, 6), -(int128{1'000'000'000'000'000'000} * 1'000'000'000'000)},
      Value::text(""),
      Value::text("é\n"),
      Value{Type::bytea(), std::string("\0\xff", 2)},
      Value::timestamptz(-1),
      Value{Type::date(), int32_t{-719'162}},
      Value{Type::interval(), int64_t{-90'000'000}},
      Value::null(Type::text()),
      Value::null(Type::numeric(38, 2)),
  };
  return kValues;
}

TEST_CASE("a value of every type comes back as it was") {
  for (const Value& value : values_of_every_type()) {
    INFO(to_string(value.type) << " " << to_text(value));
    const auto back = from_wire(wire_of(value), value.type);
    REQUIRE(back.ok());
    CHECK(*back == value);
  }
}

TEST_CASE("a cell of a column is written as the same value outside of one") {
  for (const Value& value : values_of_every_type()) {
    INFO(to_string(value.type) << " " << to_text(value));
    Arena arena;
    Column column(value.type);
    append_value(column, value, arena);
    v1::Value wire;
    to_wire(column, 0, &wire);
    CHECK(wire.SerializeAsString() == wire_of(value).SerializeAsString());
  }
}

TEST_CASE("numeric is exact text with its scale, times are microseconds, NULL is nothing") {
  CHECK(wire_of(Value{Type::numeric(12, 2), int64_t{-5}}).decimal_value() == "-0.05");
  CHECK(wire_of(Value::timestamptz(-1)).timestamp_us() == -1);
  CHECK(wire_of(Value{Type::date(), int32_t{-1}}).date_days() == -1);
  CHECK(wire_of(Value{Type::interval(), int64_t{-1}}).interval_us() == -1);
  CHECK(wire_of(Value::integer(7)).int64_value() == 7);
  CHECK(wire_of(Value::null(Type::bigint())).kind_case() == v1::Value::KIND_NOT_SET);
}

TEST_CASE("text that is not UTF-8 is made so, since no client could read it") {
  CHECK(wire_of(Value::text("a\xff")).text_value() == "a\uFFFD");
}

TEST_CASE("a NaN stays a NaN") {
  const auto back =
      from_wire(wire_of(Value::double_precision(std::nan(""))), Type::double_precision());
  REQUIRE(back.ok());
  CHECK(std::isnan(std::get<double>(back->data)));
}

TEST_CASE("parts of keys are taken in the types that stand for the column's") {
  const auto key = [](const v1::Value& wire, Type type) {
    return key_value(wire, {"k", type}).value_or(Value::text("refused"));
  };
  CHECK(key(integer(7), Type::integer()) == Value::integer(7));
  CHECK(key(integer(7), Type::bigint()) == Value::bigint(7));
  CHECK(key(integer(7), Type::double_precision()) == Value::double_precision(7));
  CHECK(key(integer(7), Type::numeric(12, 2)) == Value{Type::numeric(12, 2), int64_t{700}});
  CHECK(key(decimal("-1.50"), Type::numeric(12, 2)) == Value{Type::numeric(12, 2), int64_t{-150}});
  CHECK(key(decimal("1.500"), Type::numeric(12, 2)) == Value{Type::numeric(12, 2), int64_t{150}});
  CHECK(key(decimal("12345678901234567890.1"), Type::numeric(38, 1)) ==
        Value{Type::numeric(38, 1), int128{12'345'678'901'234'567'890U} * 10 + 1});
  CHECK(key(text("2.5"), Type::numeric(12, 2)) == Value{Type::numeric(12, 2), int64_t{250}});
  CHECK(key(text("1970-01-01T00:00:01Z"), Type::timestamptz()) == Value::timestamptz(1'000'000));
  CHECK(key(text("1969-12-31"), Type::date()) == Value{Type::date(), int32_t{-1}});
  CHECK(key(text("1 minute"), Type::interval()) == Value{Type::interval(), int64_t{60'000'000}});
  CHECK(key(v1::Value(), Type::text()) == Value::null(Type::text()));
}

TEST_CASE("a decimal key with an exponent names the row that its value does") {
  const auto key = [](const v1::Value& wire, Type type) {
    return key_value(wire, {"k", type}).value_or(Value::text("refused"));
  };
  const Type money = Type::numeric(12, 2);
  const Value one_and_a_half{money, int64_t{150}};
  for (const char* written : {"15e-1", "1.5", "1.5e0", "150E-2", "0.15e+1", "1500000e-6"}) {
    INFO(written);
    CHECK(key(decimal(written), money) == one_and_a_half);
    CHECK(key(text(written), money) == one_and_a_half);
  }
  CHECK(key(decimal("-2e3"), money) == Value{money, int64_t{-200'000}});
  CHECK(key(decimal("0e-40"), money) == Value{money, int64_t{0}});
  // More digits than a double has: the last one counts.
  const Type wide = Type::numeric(38, 0);
  const int128 big = int128{1'000'000'000'000'000'000} * 1'000'000'000'000'000'000;
  CHECK(key(decimal("1.000000000000000000000000000000000001e36"), wide) == Value{wide, big + 1});
  // A digit would be lost, or there is no room for it.
  for (const char* written : {"15e-3", "1.005e0", "1e10", "1e99", "1e", "e1", "1e1.5"}) {
    INFO(written);
    CHECK(key(decimal(written), money) == Value::text("refused"));
  }
}

TEST_CASE("a part of a key of another type is refused by column, type and value") {
  const auto refusal = [](const v1::Value& wire, Type type) {
    const auto key = key_value(wire, {"card_id", type});
    REQUIRE(absl::IsInvalidArgument(key.status()));
    return std::string(key.status().message());
  };
  CHECK(refusal(integer(7), Type::text()) == "key column card_id is text, got the integer 7");
  CHECK(refusal(text("7"), Type::bigint()) == "key column card_id is bigint, got the text \"7\"");
  CHECK(refusal(integer(5'000'000'000), Type::integer()) ==
        "key column card_id is integer, got the integer 5000000000");
  CHECK(refusal(decimal("1.005"), Type::numeric(12, 2)) ==
        "key column card_id is numeric(12,2), got the decimal \"1.005\"");
  CHECK(refusal(decimal("1e-3"), Type::numeric(12, 2)).find("1e-3") != std::string::npos);
  CHECK(refusal(decimal("x"), Type::numeric(12, 2)).find("\"x\"") != std::string::npos);
  CHECK(refusal(integer(12'345), Type::numeric(4, 2)).find("numeric(4,2)") != std::string::npos);
  CHECK(refusal(text("yesterday"), Type::timestamptz()).find("\"yesterday\"") != std::string::npos);
  v1::Value other;
  other.set_bool_value(true);
  CHECK(refusal(other, Type::text()).find("got the boolean true") != std::string::npos);
  other.set_double_value(0.5);
  CHECK(refusal(other, Type::numeric(12, 2)).find("got the double 0.5") != std::string::npos);
  other.set_bytes_value("abc");
  CHECK(refusal(other, Type::text()).find("got bytea of 3 bytes") != std::string::npos);
  other.set_timestamp_us(0);
  CHECK(refusal(other, Type::date()).find("got the timestamp 1970-01-01T00:00:00Z") !=
        std::string::npos);
  other.set_date_days(0);
  CHECK(refusal(other, Type::timestamptz()).find("got the date 1970-01-01") != std::string::npos);
  other.set_interval_us(1);
  CHECK(refusal(other, Type::boolean()).find("got the interval") != std::string::npos);
}

TEST_CASE("a stamp comes back as it was, with and without a watermark") {
  runtime::Stamp stamp{4, 17, {{{"t", 3}, Offset{5}}}, EventTime{-7}};
  v1::Stamp wire;
  to_wire(stamp, &wire);
  CHECK(wire.watermark_us() == -7);
  CHECK(from_wire(wire).place == stamp.place);
  CHECK(from_wire(wire).generation == 4);
  CHECK(from_wire(wire).epoch == 17);
  CHECK(from_wire(wire).watermark == EventTime{-7});
  stamp.watermark = kNoEventTime;
  v1::Stamp none;
  to_wire(stamp, &none);
  CHECK_FALSE(none.has_watermark_us());
  CHECK(from_wire(none).watermark == kNoEventTime);
}

TEST_CASE("columns carry type, precision and scale") {
  v1::Column wire;
  to_wire(operators::Field{"total", Type::numeric(38, 6)}, &wire);
  CHECK(wire.type() == v1::DATA_TYPE_NUMERIC);
  CHECK(wire.precision() == 38);
  CHECK(wire.scale() == 6);
  CHECK(from_wire(wire) == operators::Field{"total", Type::numeric(38, 6)});
}

}  // namespace
}  // namespace kappa::serve
