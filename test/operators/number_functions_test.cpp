#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

Value i(int32_t value) {
  return Value::integer(value);
}
Value b(int64_t value) {
  return Value::bigint(value);
}
Value d(double value) {
  return Value::double_precision(value);
}
Value dt(const char* text) {
  return value_of(Type::double_precision(), text);
}
Value n(int precision, int scale, const char* text) {
  return value_of(Type::numeric(precision, scale), text);
}

constexpr int32_t kIntMax = INT32_MAX;
constexpr int64_t kBigMax = INT64_MAX;

TEST_CASE("integers add, subtract, multiply and negate, and never wrap") {
  CHECK(result_of("+", {i(2), i(3)}) == "5");
  CHECK(result_of("-", {i(2), i(3)}) == "-1");
  CHECK(result_of("*", {i(-4), i(3)}) == "-12");
  CHECK(result_of("-", {i(7)}) == "-7");
  CHECK(result_of("abs", {i(-7)}) == "7");
  CHECK(result_of("+", {i(kIntMax), i(1)}) == "error: integer out of range");
  CHECK(result_of("-", {i(INT32_MIN), i(1)}) == "error: integer out of range");
  CHECK(result_of("*", {i(1 << 16), i(1 << 15)}) == "error: integer out of range");
  CHECK(result_of("-", {i(INT32_MIN)}) == "error: integer out of range");
  CHECK(result_of("abs", {i(INT32_MIN)}) == "error: integer out of range");
  CHECK(result_of("+", {i(kIntMax), i(INT32_MIN)}) == "-1");
}

TEST_CASE("bigints add, subtract, multiply and negate, and never wrap") {
  CHECK(result_of("+", {b(kBigMax - 1), b(1)}) == "9223372036854775807");
  CHECK(result_of("+", {b(kBigMax), b(1)}) == "error: bigint out of range");
  CHECK(result_of("-", {b(INT64_MIN), b(1)}) == "error: bigint out of range");
  CHECK(result_of("*", {b(int64_t{1} << 32), b(int64_t{1} << 31)}) == "error: bigint out of range");
  CHECK(result_of("*", {b(int64_t{1} << 31), b(int64_t{1} << 31)}) == "4611686018427387904");
  CHECK(result_of("-", {b(INT64_MIN)}) == "error: bigint out of range");
  CHECK(result_of("abs", {b(INT64_MIN)}) == "error: bigint out of range");
  CHECK(result_of("abs", {b(-5)}) == "5");
  CHECK(result_of("+", {i(1), b(kBigMax - 1)}) == "9223372036854775807");
}

TEST_CASE("integer division truncates and the remainder has the dividend's sign") {
  CHECK(result_of("/", {i(7), i(2)}) == "3");
  CHECK(result_of("/", {i(-7), i(2)}) == "-3");
  CHECK(result_of("%", {i(-7), i(2)}) == "-1");
  CHECK(result_of("%", {i(7), i(-2)}) == "1");
  CHECK(result_of("mod", {b(-7), b(4)}) == "-3");
  CHECK(result_of("%", {b(INT64_MIN), b(-1)}) == "0");
  CHECK(result_of("/", {i(1), i(0)}) == "error: division by zero");
  CHECK(result_of("%", {b(1), b(0)}) == "error: division by zero");
  CHECK(result_of("/", {i(INT32_MIN), i(-1)}) == "error: integer out of range");
  CHECK(result_of("/", {b(INT64_MIN), b(-1)}) == "error: bigint out of range");
}

TEST_CASE("numeric sums take the larger scale") {
  CHECK(typed_result_of("+", {n(12, 2, "1.25"), n(12, 2, "2.50")}) == "3.75 numeric(13,2)");
  CHECK(typed_result_of("-", {n(12, 2, "1.25"), n(6, 4, "0.0001")}) == "1.2499 numeric(15,4)");
  CHECK(typed_result_of("+", {i(5), n(12, 2, "0.25")}) == "5.25 numeric(13,2)");
  CHECK(typed_result_of("-", {n(12, 2, "0.25"), b(kBigMax)}) ==
        "-9223372036854775806.75 numeric(22,2)");
  CHECK(typed_result_of("+", {n(18, 2, "9999999999999999.99"), n(18, 2, "0.01")}) ==
        "10000000000000000.00 numeric(19,2)");
  CHECK(result_of("+", {n(38, 0, "99999999999999999999999999999999999999"), i(1)}) ==
        "error: numeric out of range: more than 38 digits");
  CHECK(result_of("+", {n(38, 0, "99999999999999999999999999999999999999"), n(2, 1, "0.1")}) ==
        "error: numeric out of range: more than 38 digits");
  CHECK(result_of("-", {n(38, 0, "-99999999999999999999999999999999999998"), i(1)}) ==
        "-99999999999999999999999999999999999999");
}

TEST_CASE("numeric products take the sum of the scales") {
  CHECK(typed_result_of("*", {n(12, 2, "12.50"), n(3, 3, "0.908")}) == "11.35000 numeric(15,5)");
  CHECK(typed_result_of("*", {b(1000), n(4, 3, "0.908")}) == "908.000 numeric(23,3)");
  CHECK(typed_result_of("*", {i(-3), n(4, 2, "1.10")}) == "-3.30 numeric(14,2)");
  CHECK(typed_result_of("*", {n(20, 0, "12345678901234567890"), n(20, 2, "10.00")}) ==
        "123456789012345678900.00 numeric(38,2)");
  CHECK(result_of("*", {n(38, 0, "99999999999999999999999999999999999999"), i(2)}) ==
        "error: numeric out of range: more than 38 digits");
  CHECK(result_of("*", {n(20, 0, "10000000000000000000"), n(20, 0, "10000000000000000000")}) ==
        "error: numeric out of range: more than 38 digits");
  CHECK(result_of("*", {n(38, 0, "-9999999999999999999"), n(38, 0, "9999999999999999999")}) ==
        "-99999999999999999980000000000000000001");
}

TEST_CASE("numeric quotients have six digits more, half up") {
  CHECK(typed_result_of("/", {n(12, 2, "10.00"), n(12, 2, "3.00")}) == "3.33333333 numeric(20,8)");
  CHECK(result_of("/", {n(12, 2, "20.00"), n(12, 2, "3.00")}) == "6.66666667");
  CHECK(result_of("/", {n(12, 2, "-20.00"), n(12, 2, "3.00")}) == "-6.66666667");
  CHECK(result_of("/", {n(12, 2, "20.00"), n(12, 2, "-3.00")}) == "-6.66666667");
  CHECK(result_of("/", {n(3, 0, "1"), n(8, 0, "2000000")}) == "0.000001");
  CHECK(result_of("/", {n(3, 0, "-1"), n(8, 0, "2000000")}) == "-0.000001");
  CHECK(result_of("/", {n(3, 0, "1"), n(8, 0, "2000001")}) == "0.000000");
  CHECK(result_of("/", {n(12, 2, "1.00"), i(0)}) == "error: division by zero");
  CHECK(result_of("/", {n(12, 2, "0.00"), n(12, 2, "0.00")}) == "error: division by zero");
  CHECK(typed_result_of("/", {i(1), n(2, 1, "0.3")}) == "3.3333333 numeric(18,7)");
}

TEST_CASE("numeric division goes through 256 bits where 128 are too few") {
  const Value big = n(38, 10, "1234567890123456789012345678.9012345678");
  CHECK(result_of("/", {big, big}) == "1.0000000000000000");
  CHECK(result_of("/", {big, n(38, 10, "-2.0000000000")}) ==
        "error: numeric out of range: more than 38 digits");
  CHECK(result_of("/", {n(38, 0, "99999999999999999999999999999999999999"),
                        n(38, 0, "33333333333333333333333333333333333333")}) == "3.000000");
  CHECK(result_of("/", {n(38, 0, "99999999999999999999999999999999999999"),
                        n(38, 0, "-77777777777777777777777777777777777777")}) == "-1.285714");
  CHECK(result_of("/", {n(38, 30, "1.000000000000000000000000000000"),
                        n(38, 30, "3.000000000000000000000000000000")}) ==
        "0.333333333333333333333333333333333333");
  CHECK(result_of("/", {n(38, 0, "99999999999999999999999999999999999999"), n(2, 2, "0.01")}) ==
        "error: numeric out of range: more than 38 digits");
}

TEST_CASE("a numeric remainder has the dividend's sign and the larger scale") {
  CHECK(typed_result_of("%", {n(12, 2, "-7.50"), i(2)}) == "-1.50 numeric(12,2)");
  CHECK(typed_result_of("mod", {n(12, 2, "7.50"), n(3, 1, "-2.0")}) == "1.50 numeric(4,2)");
  CHECK(result_of("%", {n(12, 2, "1.00"), n(12, 2, "0.00")}) == "error: division by zero");
}

TEST_CASE("numeric rounds half away from zero, truncates, and steps to whole numbers") {
  CHECK(typed_result_of("round", {n(6, 3, "2.500")}) == "3 numeric(4,0)");
  CHECK(result_of("round", {n(6, 3, "-2.500")}) == "-3");
  CHECK(result_of("round", {n(6, 3, "2.499")}) == "2");
  CHECK(result_of("trunc", {n(6, 3, "-2.999")}) == "-2");
  CHECK(result_of("ceil", {n(6, 3, "2.001")}) == "3");
  CHECK(result_of("ceiling", {n(6, 3, "-2.999")}) == "-2");
  CHECK(result_of("floor", {n(6, 3, "-2.001")}) == "-3");
  CHECK(result_of("floor", {n(6, 3, "2.999")}) == "2");
  CHECK(result_of("sign", {n(6, 3, "-0.001")}) == "-1");
  CHECK(result_of("sign", {n(6, 3, "0")}) == "0");
  CHECK(result_of("abs", {n(38, 2, "-12.50")}) == "12.50");
  CHECK(result_of("-", {n(12, 2, "12.50")}) == "-12.50");
  CHECK(result_of("round", {n(2, 2, "0.50")}) == "1");
}

TEST_CASE("numeric rounds to a number of digits") {
  CHECK(typed_result_of("round", {n(6, 3, "2.345"), i(2)}) == "2.350 numeric(7,3)");
  CHECK(result_of("round", {n(6, 3, "999.999"), i(0)}) == "1000.000");
  CHECK(result_of("round", {n(6, 3, "149.000"), i(-2)}) == "100.000");
  CHECK(result_of("round", {n(6, 3, "150.000"), i(-2)}) == "200.000");
  CHECK(result_of("round", {n(6, 3, "150.000"), i(-50)}) == "0.000");
  CHECK(result_of("round", {n(6, 3, "1.234"), i(9)}) == "1.234");
  CHECK(result_of("trunc", {n(6, 3, "-2.349"), i(2)}) == "-2.340");
  Arena arena;
  const Batch batch = batch_of({Type::numeric(6, 3)}, {{n(6, 3, "2.345")}}, arena);
  const ExprRef rounded = call("round", {column_expr(0, Type::numeric(6, 3)), constant_expr(i(2))});
  CHECK(rounded->type == Type::numeric(6, 2));
  CHECK(run(rounded, batch) == std::vector<std::string>{"2.35"});
  const ExprRef longer = call("round", {column_expr(0, Type::numeric(6, 3)), constant_expr(i(5))});
  CHECK(run(longer, batch) == std::vector<std::string>{"2.34500"});
}

TEST_CASE("double precision arithmetic fails rather than overflow or underflow") {
  CHECK(result_of("+", {d(1.5), d(2.25)}) == "3.75");
  CHECK(result_of("-", {d(1.5), d(2.25)}) == "-0.75");
  CHECK(result_of("*", {d(1.5), d(2)}) == "3");
  CHECK(result_of("/", {d(1), d(4)}) == "0.25");
  CHECK(result_of("/", {d(1), d(0)}) == "error: division by zero");
  CHECK(result_of("+", {d(1.7e308), d(1.7e308)}) == "error: value out of range: overflow");
  CHECK(result_of("-", {d(-1.7e308), d(1.7e308)}) == "error: value out of range: overflow");
  CHECK(result_of("*", {d(1e200), d(1e200)}) == "error: value out of range: overflow");
  CHECK(result_of("*", {d(1e-200), d(1e-200)}) == "error: value out of range: underflow");
  CHECK(result_of("/", {d(1e-300), d(1e300)}) == "error: value out of range: underflow");
  CHECK(result_of("/", {d(1e300), d(1e-300)}) == "error: value out of range: overflow");
  CHECK(result_of("+", {dt("Infinity"), d(1)}) == "Infinity");
  CHECK(result_of("/", {d(1), dt("Infinity")}) == "0");
  CHECK(result_of("*", {dt("NaN"), d(0)}) == "NaN");
  CHECK(result_of("-", {d(2)}) == "-2");
  CHECK(result_of("abs", {d(-2.5)}) == "2.5");
}

TEST_CASE("double precision rounds half to even") {
  CHECK(result_of("round", {d(2.5)}) == "2");
  CHECK(result_of("round", {d(3.5)}) == "4");
  CHECK(result_of("trunc", {d(-2.9)}) == "-2");
  CHECK(result_of("ceil", {d(2.1)}) == "3");
  CHECK(result_of("ceiling", {d(2.1)}) == "3");
  CHECK(result_of("floor", {d(-2.1)}) == "-3");
  CHECK(result_of("sign", {d(-2.1)}) == "-1");
  CHECK(result_of("sign", {dt("NaN")}) == "NaN");
}

TEST_CASE("roots, powers and logarithms") {
  CHECK(result_of("sqrt", {d(2.25)}) == "1.5");
  CHECK(result_of("sqrt", {d(-1)}) == "error: cannot take square root of a negative number");
  CHECK(result_of("cbrt", {d(-8)}) == "-2");
  CHECK(result_of("exp", {d(0)}) == "1");
  CHECK(result_of("exp", {d(1000)}) == "error: value out of range: overflow");
  CHECK(result_of("ln", {d(1)}) == "0");
  CHECK(result_of("ln", {d(0)}) == "error: cannot take logarithm of zero");
  CHECK(result_of("ln", {d(-1)}) == "error: cannot take logarithm of a negative number");
  CHECK(result_of("log", {d(1000)}) == "3");
  CHECK(result_of("log10", {d(100)}) == "2");
  CHECK(result_of("log", {d(2), d(8)}) == "3");
  CHECK(result_of("log", {d(1), d(8)}) == "error: division by zero");
  CHECK(result_of("log", {d(-2), d(8)}) == "error: cannot take logarithm of a negative number");
  CHECK(result_of("power", {d(2), d(10)}) == "1024");
  CHECK(result_of("pow", {d(2), d(-1)}) == "0.5");
  CHECK(result_of("^", {i(3), i(2)}) == "9");
  CHECK(result_of("power", {d(0), d(-1)}) == "error: zero raised to a negative power is undefined");
  CHECK(result_of("power", {d(-8), d(0.5)}) ==
        "error: a negative number raised to a non-integer power yields a complex result");
  CHECK(result_of("power", {d(10), d(400)}) == "error: value out of range: overflow");
}

TEST_CASE("angles") {
  CHECK(result_of("sin", {d(0)}) == "0");
  CHECK(result_of("cos", {d(0)}) == "1");
  CHECK(result_of("tan", {d(0)}) == "0");
  CHECK(result_of("asin", {d(0)}) == "0");
  CHECK(result_of("acos", {d(1)}) == "0");
  CHECK(result_of("atan", {d(0)}) == "0");
  CHECK(result_of("atan2", {d(0), d(1)}) == "0");
  CHECK(result_of("asin", {d(2)}) == "error: input is out of range");
  CHECK(result_of("acos", {d(-2)}) == "error: input is out of range");
  CHECK(result_of("sin", {dt("Infinity")}) == "error: input is out of range");
  CHECK(result_of("cos", {dt("-Infinity")}) == "error: input is out of range");
  CHECK(result_of("tan", {dt("Infinity")}) == "error: input is out of range");
  CHECK(result_of("degrees", {d(3.141592653589793)}) == "180");
  CHECK(result_of("radians", {d(180)}) == "3.141592653589793");
  CHECK(to_text(*evaluate_constant(*call("pi", {}))) == "3.141592653589793");
}

TEST_CASE("width_bucket counts equal buckets and one beyond each end") {
  CHECK(result_of("width_bucket", {d(5.35), d(0.024), d(10.06), i(5)}) == "3");
  CHECK(result_of("width_bucket", {d(-1), d(0), d(10), i(5)}) == "0");
  CHECK(result_of("width_bucket", {d(10), d(0), d(10), i(5)}) == "6");
  CHECK(result_of("width_bucket", {d(0), d(0), d(10), i(5)}) == "1");
  CHECK(result_of("width_bucket", {d(9), d(10), d(0), i(5)}) == "1");
  CHECK(result_of("width_bucket", {d(0), d(10), d(0), i(5)}) == "6");
  CHECK(result_of("width_bucket", {d(1), d(0), d(10), i(0)}) ==
        "error: count must be greater than zero");
  CHECK(result_of("width_bucket", {d(1), d(10), d(10), i(1)}) ==
        "error: lower bound cannot equal upper bound");
  CHECK(result_of("width_bucket", {dt("NaN"), d(1), d(10), i(1)}) ==
        "error: operand, lower bound, and upper bound cannot be NaN");
  CHECK(result_of("width_bucket", {d(1), dt("-Infinity"), d(10), i(1)}) ==
        "error: lower and upper bounds must be finite");
  CHECK(result_of("width_bucket", {d(11), d(1), d(10), i(kIntMax)}) ==
        "error: integer out of range");
}

}  // namespace
}  // namespace kappa::operators
