#include <random>

#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

constexpr Type kInteger = Type::integer();
constexpr Type kBigint = Type::bigint();
constexpr Type kDouble = Type::double_precision();
constexpr Type kMoney = Type::numeric(12, 2);
constexpr Type kText = Type::text();
constexpr Type kTime = Type::timestamptz();
constexpr Type kDate = Type::date();

std::string cast(const Type& from, const char* text, const Type& to) {
  return cast_result_of(value_of(from, text), to);
}

TEST_CASE("double precision to integers rounds half to even and refuses what does not fit") {
  CHECK(cast(kDouble, "2.5", kInteger) == "2");
  CHECK(cast(kDouble, "3.5", kBigint) == "4");
  CHECK(cast(kDouble, "-2.5", kInteger) == "-2");
  CHECK(cast(kDouble, "2147483647.4", kInteger) == "2147483647");
  CHECK(cast(kDouble, "2147483647.5", kInteger) == "error: integer out of range");
  CHECK(cast(kDouble, "-2147483648.5", kInteger) == "-2147483648");
  CHECK(cast(kDouble, "9223372036854775808", kBigint) == "error: bigint out of range");
  CHECK(cast(kDouble, "-9223372036854775808", kBigint) == "-9223372036854775808");
  CHECK(cast(kDouble, "NaN", kInteger) == "error: integer out of range");
  CHECK(cast(kDouble, "Infinity", kBigint) == "error: bigint out of range");
}

TEST_CASE("numeric to integers rounds half away from zero and refuses what does not fit") {
  CHECK(cast(kMoney, "2.50", kInteger) == "3");
  CHECK(cast(kMoney, "-2.50", kBigint) == "-3");
  CHECK(cast(kMoney, "2.49", kInteger) == "2");
  CHECK(cast(kMoney, "2147483647.49", kInteger) == "2147483647");
  CHECK(cast(kMoney, "2147483647.50", kInteger) == "error: integer out of range");
  CHECK(cast(Type::numeric(38, 0), "9223372036854775808", kBigint) == "error: bigint out of range");
  CHECK(cast(Type::numeric(38, 0), "-9223372036854775808", kBigint) == "-9223372036854775808");
}

TEST_CASE("integers among themselves and to double precision") {
  CHECK(cast(kInteger, "-5", kBigint) == "-5");
  CHECK(cast(kBigint, "2147483647", kInteger) == "2147483647");
  CHECK(cast(kBigint, "2147483648", kInteger) == "error: integer out of range");
  CHECK(cast(kInteger, "7", kDouble) == "7");
  CHECK(cast(kBigint, "-7", kDouble) == "-7");
}

TEST_CASE("numbers to numeric round half up and keep to the precision") {
  CHECK(cast(kInteger, "5", kMoney) == "5.00");
  CHECK(cast(kBigint, "9223372036854775807", Type::numeric(19, 0)) == "9223372036854775807");
  CHECK(cast(kBigint, "12345678901", kMoney) == "error: value out of range for numeric(12,2)");
  CHECK(cast(kInteger, "12345", Type::numeric(4, 0)) ==
        "error: value out of range for numeric(4,0)");
  CHECK(cast(Type::numeric(6, 4), "1.2350", Type::numeric(4, 2)) == "1.24");
  CHECK(cast(Type::numeric(6, 4), "-1.2350", Type::numeric(4, 2)) == "-1.24");
  CHECK(cast(Type::numeric(6, 4), "99.9950", Type::numeric(4, 2)) ==
        "error: value out of range for numeric(4,2)");
  CHECK(cast(kMoney, "1.50", Type::numeric(38, 10)) == "1.5000000000");
  CHECK(cast(Type::numeric(38, 10), "1.5000000000", kMoney) == "1.50");
  CHECK(cast(kMoney, "1.50", Type::numeric(14, 2)) == "1.50");
  CHECK(cast(Type::numeric(38, 0), "99999999999999999999999999999999999999",
             Type::numeric(38, 1)) == "error: value out of range for numeric(38,1)");
}

TEST_CASE("double precision to numeric goes by 15 digits") {
  CHECK(cast(kDouble, "0.1", Type::numeric(20, 18)) == "0.100000000000000000");
  CHECK(cast(kDouble, "1.005", kMoney) == "1.01");
  CHECK(cast(kDouble, "-2.675", kMoney) == "-2.68");
  CHECK(cast(kDouble, "1e11", kMoney) == "error: value out of range for numeric(12,2)");
  CHECK(cast(kDouble, "1e300", kMoney) == "error: value out of range for numeric(12,2)");
  CHECK(cast(kDouble, "NaN", kMoney) == "error: value out of range for numeric(12,2)");
  CHECK(cast(kDouble, "1e-300", kMoney) == "0.00");
}

TEST_CASE("numeric to double precision is the nearest double") {
  CHECK(cast(kMoney, "0.10", kDouble) == "0.1");
  CHECK(cast(Type::numeric(38, 20), "123456789.12345678901234567890", kDouble) ==
        "123456789.12345679");
  CHECK(cast(Type::numeric(38, 0), "-99999999999999999999999999999999999999", kDouble) == "-1e+38");
}

TEST_CASE("booleans and integers") {
  CHECK(cast(Type::boolean(), "true", kInteger) == "1");
  CHECK(cast(Type::boolean(), "false", kInteger) == "0");
  CHECK(cast(kInteger, "-3", Type::boolean()) == "true");
  CHECK(cast(kInteger, "0", Type::boolean()) == "false");
}

TEST_CASE("timestamptz and date, by the days of UTC") {
  CHECK(cast(kTime, "2018-04-01T23:59:59.999999Z", kDate) == "2018-04-01");
  CHECK(cast(kTime, "1969-12-31T23:59:59Z", kDate) == "1969-12-31");
  CHECK(cast(kTime, "1970-01-01T00:00:00Z", kDate) == "1970-01-01");
  CHECK(cast(kDate, "1969-12-31", kTime) == "1969-12-31T00:00:00Z");
}

TEST_CASE("text to any type, as it is read anywhere") {
  CHECK(cast(kText, " 42 ", kInteger) == "42");
  CHECK(cast(kText, "+42", kBigint) == "42");
  CHECK(cast(kText, "2147483648", kInteger) ==
        "error: value out of range for integer: \"2147483648\"");
  CHECK(cast(kText, "4x", kInteger) ==
        "error: invalid input for integer: \"4x\"; expected an integer");
  CHECK(cast(kText, "", kBigint) == "error: invalid input for bigint: \"\"; expected an integer");
  CHECK(cast(kText, "1e3", kDouble) == "1000");
  CHECK(cast(kText, "12.505", kMoney) == "12.51");
  CHECK(cast(kText, "-5", Type::numeric(38, 2)) == "-5.00");
  CHECK(cast(kText, "yes", Type::boolean()) == "true");
  CHECK(cast(kText, "\\x00ff", Type::bytea()) == "\\x00ff");
  CHECK(cast(kText, "2018-04-01 00:00:31.5", kTime) == "2018-04-01T00:00:31.5Z");
  CHECK(cast(kText, "2018-04-01", kDate) == "2018-04-01");
  CHECK(cast(kText, "90 minutes", Type::interval()) ==
        to_text(value_of(Type::interval(), "1:30:00")));
  CHECK(cast(kText, "tomorrow", kDate) ==
        "error: invalid input for date: \"tomorrow\"; expected a date like 2018-04-01");
}

TEST_CASE("any type to text and back") {
  CHECK(cast(kInteger, "-2147483648", kText) == "-2147483648");
  CHECK(cast(kBigint, "9223372036854775807", kText) == "9223372036854775807");
  CHECK(cast(kDouble, "0.1", kText) == "0.1");
  CHECK(cast(kMoney, "-0.50", kText) == "-0.50");
  CHECK(cast(Type::numeric(38, 2), "0.50", kText) == "0.50");
  CHECK(cast(Type::boolean(), "false", kText) == "false");
  CHECK(cast(Type::bytea(), "\\x00ff", kText) == "\\x00ff");
  CHECK(cast(kText, "x", kText) == "x");
  CHECK(cast(kDate, "0001-01-01", kText) == "0001-01-01");
  CHECK(cast(kDate, "9999-12-31", kText) == "9999-12-31");
  CHECK(cast(kTime, "0001-01-01T00:00:00Z", kText) == "0001-01-01T00:00:00Z");
  CHECK(cast(kTime, "9999-12-31T23:59:59.999999Z", kText) == "9999-12-31T23:59:59.999999Z");
  CHECK(cast(Type::interval(), "1:30:00", kText) ==
        to_text(value_of(Type::interval(), "90 minutes")));
}

TEST_CASE("texts of times agree with to_text for random times") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> us(-70'000'000'000'000'000, 260'000'000'000'000'000);
  std::vector<Row> rows;
  for (int row = 0; row < 500; ++row) {
    const int64_t time =
        us(random) / (row % 3 == 0 ? 1'000'000 : 1) * (row % 3 == 0 ? 1'000'000 : 1);
    rows.push_back(
        {Value::timestamptz(time), Value{kDate, static_cast<int32_t>(time / 86'400'000'000)}});
  }
  Arena arena;
  const Batch batch = batch_of({kTime, kDate}, rows, arena);
  const auto times = run(cast_to(column_expr(0, kTime), kText), batch);
  const auto dates = run(cast_to(column_expr(1, kDate), kText), batch);
  for (size_t row = 0; row < rows.size(); ++row) {
    CHECK(times[row] == to_text(rows[row][0]));
    CHECK(dates[row] == to_text(rows[row][1]));
  }
}

TEST_CASE("null casts to null of any type") {
  for (const Type& type : {kInteger, kMoney, kText, kDate}) {
    CHECK(cast_result_of(Value::null(Type::null()), type) == "NULL");
    CHECK(cast_result_of(Value::null(kText), type) == "NULL");
  }
}

TEST_CASE("try_cast makes null of what cannot be cast, but not of what fails before") {
  CHECK(cast_result_of(Value::text("4x"), kInteger, true) == "NULL");
  CHECK(cast_result_of(Value::text("42"), kInteger, true) == "42");
  CHECK(cast_result_of(Value::double_precision(1e300), kMoney, true) == "NULL");
  const ExprRef one = constant_expr(Value::integer(1));
  const ExprRef zero = column_expr(0, kInteger);
  Arena arena;
  const Batch batch = batch_of({kInteger}, {{Value::integer(0)}}, arena);
  CHECK(run(cast_to(call("/", {one, zero}), kBigint, true), batch) ==
        std::vector<std::string>{"error: division by zero"});
}

}  // namespace
}  // namespace kappa::operators
