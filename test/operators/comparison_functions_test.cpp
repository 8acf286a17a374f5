#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

constexpr const char* kOperators[] = {"=", "<>", "<", "<=", ">", ">="};

// The results of = <> < <= > >=, as a word of t and f.
std::string compare(const Value& a, const Value& b) {
  std::string out;
  for (const char* name : kOperators) out += result_of(name, {a, b}).substr(0, 1);
  return out;
}

constexpr const char* kEqual = "tfftft";
constexpr const char* kLess = "ftttff";
constexpr const char* kGreater = "ftfftt";

void check_order(const Type& type, const char* smaller, const char* larger) {
  const Value a = value_of(type, smaller);
  const Value b = value_of(type, larger);
  INFO(smaller << " and " << larger);
  CHECK(compare(a, b) == kLess);
  CHECK(compare(b, a) == kGreater);
  CHECK(compare(a, a) == kEqual);
}

TEST_CASE("every type compares with itself") {
  check_order(Type::boolean(), "false", "true");
  check_order(Type::integer(), "-2147483648", "2147483647");
  check_order(Type::bigint(), "-9223372036854775808", "9223372036854775807");
  check_order(Type::numeric(12, 2), "-0.01", "0.01");
  check_order(Type::numeric(38, 2), "-100000000000000000000.00", "100000000000000000000.00");
  check_order(Type::double_precision(), "-0.5", "1e300");
  check_order(Type::text(), "Z", "a");
  check_order(Type::text(), "ab", "abc");
  check_order(Type::text(), "", "a");
  check_order(Type::text(), "z", "ä");
  check_order(Type::bytea(), "\\x7f", "\\x80");
  check_order(Type::timestamptz(), "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z");
  check_order(Type::date(), "2018-03-31", "2018-04-01");
  check_order(Type::interval(), "-1 hour", "1 second");
}

TEST_CASE("NaN equals itself and is greater than every other number") {
  check_order(Type::double_precision(), "Infinity", "NaN");
  check_order(Type::double_precision(), "-Infinity", "NaN");
  CHECK(compare(value_of(Type::double_precision(), "-0"),
                value_of(Type::double_precision(), "0")) == kEqual);
}

TEST_CASE("numbers of different types compare by value") {
  const auto numeric = [](int precision, int scale, const char* text) {
    return value_of(Type::numeric(precision, scale), text);
  };
  CHECK(compare(Value::integer(5), Value::bigint(5)) == kEqual);
  CHECK(compare(Value::integer(5), numeric(12, 2, "5.00")) == kEqual);
  CHECK(compare(numeric(12, 2, "5.01"), Value::integer(5)) == kGreater);
  CHECK(compare(Value::bigint(5), numeric(4, 3, "5.001")) == kLess);
  CHECK(compare(numeric(12, 2, "1.10"), numeric(5, 4, "1.1000")) == kEqual);
  CHECK(compare(numeric(18, 2, "9999999999999999.99"), numeric(18, 4, "0.0001")) == kGreater);
  CHECK(compare(numeric(12, 2, "1.25"), Value::double_precision(1.5)) == kLess);
  CHECK(compare(numeric(38, 0, "99999999999999999999999999999999999999"),
                numeric(38, 38, "0.99999999999999999999999999999999999999")) == kGreater);
  CHECK(compare(numeric(38, 0, "-99999999999999999999999999999999999999"),
                numeric(38, 38, "0.1")) == kLess);
  CHECK(compare(Value::bigint(INT64_MAX), numeric(38, 18, "9223372036854775807")) == kEqual);
}

TEST_CASE("two integers cast to numeric compare as integers") {
  const ExprRef five = cast_to(column_expr(0, Type::integer()), Type::numeric(10, 0));
  const ExprRef six = cast_to(column_expr(1, Type::bigint()), Type::numeric(19, 0));
  Arena arena;
  const Batch batch = batch_of(
      {Type::integer(), Type::bigint()},
      {{Value::integer(5), Value::bigint(6)}, {Value::integer(6), Value::bigint(6)}}, arena);
  CHECK(run(call("<", {five, six}), batch) == std::vector<std::string>{"true", "false"});
  CHECK(run(call("<", {five, five}), batch) == std::vector<std::string>{"false", "false"});
  CHECK(run(call("is distinct from", {five, six}), batch) ==
        std::vector<std::string>{"true", "false"});
  CHECK(run(call("+", {five, six}), batch) == std::vector<std::string>{"11", "12"});
}

TEST_CASE("comparing with null is null, but for is distinct from") {
  const Value null = Value::null(Type::bigint());
  for (const char* name : kOperators) {
    CHECK(result_of(name, {Value::bigint(1), null}) == "NULL");
    CHECK(result_of(name, {null, null}) == "NULL");
  }
  for (const Type& type : {Type::bigint(), Type::numeric(12, 2), Type::text(), Type::boolean()}) {
    const Value one = value_of(type, "1");
    const Value zero = value_of(type, "0");
    const Value none = Value::null(type);
    const std::string distinct = "is distinct from";
    const std::string same = "is not distinct from";
    CHECK(result_of(distinct, {one, one}) == "false");
    CHECK(result_of(distinct, {one, zero}) == "true");
    CHECK(result_of(distinct, {zero, none}) == "true");
    CHECK(result_of(distinct, {none, zero}) == "true");
    CHECK(result_of(distinct, {none, none}) == "false");
    CHECK(result_of(same, {one, one}) == "true");
    CHECK(result_of(same, {zero, none}) == "false");
    CHECK(result_of(same, {none, none}) == "true");
  }
}

TEST_CASE("greatest and least ignore nulls") {
  const auto b = [](int64_t value) { return Value::bigint(value); };
  const Value null = Value::null(Type::bigint());
  CHECK(result_of("greatest", {b(3), b(7), b(5)}) == "7");
  CHECK(result_of("least", {b(3), b(-7), b(5)}) == "-7");
  CHECK(result_of("greatest", {null, b(-7)}) == "-7");
  CHECK(result_of("least", {b(3), null}) == "3");
  CHECK(result_of("least", {null, null}) == "NULL");
  CHECK(result_of("greatest", {Value::text("a"), Value::text("b"), Value::text("")}) == "b");
  CHECK(result_of("greatest", {Value::integer(2), value_of(Type::numeric(3, 1), "2.5")}) == "2.5");
  CHECK(result_of("least",
                  {value_of(Type::double_precision(), "NaN"), Value::double_precision(1)}) == "1");
  CHECK(result_of("greatest", {Value::boolean(false), Value::boolean(true)}) == "true");
}

}  // namespace
}  // namespace kappa::operators
