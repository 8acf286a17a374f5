#include <algorithm>

#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

constexpr Type kBoolean = Type::boolean();
constexpr Type kInteger = Type::integer();
constexpr Type kBigint = Type::bigint();
constexpr Type kDouble = Type::double_precision();
constexpr Type kMoney = Type::numeric(12, 2);
constexpr Type kText = Type::text();
constexpr Type kTime = Type::timestamptz();
constexpr Type kDate = Type::date();
constexpr Type kInterval = Type::interval();
constexpr Type kNull = Type::null();

TEST_CASE("an exact match wins over casts") {
  CHECK(resolved("+", {kInteger, kInteger}) == "integer <- integer, integer");
  CHECK(resolved("+", {kBigint, kBigint}) == "bigint <- bigint, bigint");
  CHECK(resolved("abs", {kInteger}) == "integer <- integer");
  CHECK(resolved("length", {Type::bytea()}) == "integer <- bytea");
}

TEST_CASE("numbers widen from integer to bigint to numeric to double precision") {
  CHECK(resolved("+", {kInteger, kBigint}) == "bigint <- bigint, bigint");
  CHECK(resolved("*", {kBigint, kDouble}) ==
        "double precision <- double precision, double precision");
  CHECK(resolved("*", {kMoney, kDouble}) ==
        "double precision <- double precision, double precision");
  CHECK(resolved("=", {kInteger, kMoney}) == "boolean <- numeric(10,0), numeric(12,2)");
  CHECK(resolved("<", {kBigint, kMoney}) == "boolean <- numeric(19,0), numeric(12,2)");
  CHECK(resolved("sqrt", {kInteger}) == "double precision <- double precision");
  CHECK(resolved("round", {kInteger}) == "double precision <- double precision");
}

TEST_CASE("numeric results take the precision that holds every value") {
  CHECK(resolved("+", {kMoney, kMoney}) == "numeric(13,2) <- numeric(12,2), numeric(12,2)");
  CHECK(resolved("-", {kMoney, Type::numeric(4, 4)}) ==
        "numeric(15,4) <- numeric(12,2), numeric(4,4)");
  CHECK(resolved("*", {kMoney, Type::numeric(3, 3)}) ==
        "numeric(15,5) <- numeric(12,2), numeric(3,3)");
  CHECK(resolved("/", {kMoney, kMoney}) == "numeric(20,8) <- numeric(12,2), numeric(12,2)");
  CHECK(resolved("%", {kMoney, kInteger}) == "numeric(12,2) <- numeric(12,2), numeric(10,0)");
  CHECK(resolved("*", {kBigint, Type::numeric(38, 2)}) ==
        "numeric(38,2) <- numeric(19,0), numeric(38,2)");
  CHECK(resolved("abs", {kMoney}) == "numeric(12,2) <- numeric(12,2)");
  CHECK(resolved("floor", {kMoney}) == "numeric(11,0) <- numeric(12,2)");
  CHECK(resolved("sign", {kMoney}) == "numeric(1,0) <- numeric(12,2)");
}

TEST_CASE("a numeric result with more than 38 fraction digits is refused") {
  CHECK(resolve_error("*", {Type::numeric(38, 20), Type::numeric(38, 20)}) ==
        "numeric(38,20) * numeric(38,20) needs 40 digits after the point, more than the 38 there "
        "are; cast an operand to fewer");
  CHECK_THAT(resolve_error("/", {Type::numeric(38, 33), kMoney}), Contains("needs 39 digits"));
}

TEST_CASE("round takes its scale from a constant") {
  const Value two = Value::integer(2);
  const Type args[] = {Type::numeric(10, 5), kInteger};
  const Value* constants[] = {nullptr, &two};
  CHECK(resolve_function("round", args, {}, constants)->result == Type::numeric(8, 2));
  CHECK(resolve_function("round", args, {})->result == Type::numeric(11, 5));
}

TEST_CASE("an untyped literal takes the type of the other operand") {
  CHECK(resolved("<", {kTime, kText}, {false, true}) ==
        "boolean <- timestamp with time zone, timestamp with time zone");
  CHECK(resolved("=", {kText, kBigint}, {true, false}) == "boolean <- bigint, bigint");
  CHECK(resolved("=", {kText, kText}, {true, true}) == "boolean <- text, text");
  CHECK(resolved("+", {kTime, kText}, {false, true}) ==
        "timestamp with time zone <- timestamp with time zone, interval");
  CHECK(resolved("=", {kMoney, kText}, {false, true}) ==
        "boolean <- numeric(12,2), numeric(38,10)");
}

TEST_CASE("a literal taken as numeric has its own digits") {
  const Type args[] = {kMoney, kText};
  const auto literal_type = [&](const char* text) {
    const Value literal = Value::text(text);
    const Value* constants[] = {nullptr, &literal};
    return to_string(resolve_function("=", args, {false, true}, constants)->arg_types[1]);
  };
  CHECK(literal_type("12.505") == "numeric(5,3)");
  CHECK(literal_type(" -7 ") == "numeric(1,0)");
  CHECK(literal_type(".5") == "numeric(1,1)");
  CHECK(literal_type("-00.5") == "numeric(1,1)");
  CHECK(literal_type("0") == "numeric(1,0)");
  CHECK(literal_type("1e3") == "numeric(38,10)");
}

TEST_CASE("a bare NULL takes whatever type fits") {
  CHECK(resolved("+", {kInteger, kNull}) == "integer <- integer, integer");
  CHECK(resolved("+", {kNull, kMoney}) == "numeric(13,2) <- numeric(1,0), numeric(12,2)");
  CHECK(resolved("upper", {kNull}) == "text <- text");
  CHECK(resolved("abs", {kNull}) == "double precision <- double precision");
  CHECK(resolved("=", {kNull, kNull}) == "boolean <- text, text");
}

TEST_CASE("a date becomes a timestamptz where one is taken") {
  CHECK(resolved("<", {kDate, kTime}) ==
        "boolean <- timestamp with time zone, timestamp with time zone");
  CHECK(resolved("date_trunc", {kText, kDate}, {true, false}) ==
        "timestamp with time zone <- text, timestamp with time zone");
  CHECK(resolved("-", {kDate, kDate}) == "integer <- date, date");
  CHECK(resolved("+", {kDate, kInterval}) == "timestamp with time zone <- date, interval");
}

TEST_CASE("concatenation casts the other side to text") {
  CHECK(resolved("||", {kText, kInteger}) == "text <- text, text");
  CHECK(resolved("||", {kTime, kText}) == "text <- text, text");
  CHECK(resolved("||", {kText, kInteger}, {true, false}) == "text <- text, text");
  CHECK_THAT(resolve_error("||", {kInteger, kInteger}),
             StartsWith("operator integer || integer does not exist; there is: text || text"));
  CHECK(resolved("concat", {kInteger, kTime, kText}) == "text <- text, text, text");
  CHECK(resolved("concat_ws", {kText, kInteger}) == "text <- text, text");
  CHECK_THAT(resolve_error("concat", {}), Contains("it takes: concat(any, ...)"));
}

TEST_CASE("greatest and least take the common type of all their arguments") {
  CHECK(resolved("greatest", {kInteger, kBigint, kMoney}) ==
        "numeric(21,2) <- numeric(21,2), numeric(21,2), numeric(21,2)");
  CHECK(resolved("least", {kDate, kTime}) ==
        "timestamp with time zone <- timestamp with time zone, timestamp with time zone");
  CHECK(resolved("least", {kNull, kText}, {false, true}) == "text <- text, text");
  CHECK(resolve_error("least", {kText, kBigint}) ==
        "types text and bigint have no common type; cast one of them");
}

TEST_CASE("a function that does not take such arguments is refused with those it takes") {
  const absl::StatusOr<ResolvedCall> found =
      resolve_function("upper", std::vector<Type>{kBigint}, {});
  CHECK(found.status().code() == absl::StatusCode::kNotFound);
  CHECK(resolve_error("upper", {kBigint}) ==
        "function upper(bigint) does not exist; it takes: upper(text)");
  CHECK(resolve_error("round", {kDouble, kInteger}) ==
        "function round(double precision, integer) does not exist; it takes: round(numeric), "
        "round(numeric, integer), round(double precision)");
  CHECK(resolve_error("+", {kText, kInteger}) ==
        "operator text + integer does not exist; there is: integer + integer, bigint + bigint, "
        "double precision + double precision, numeric + numeric, timestamp with time zone + "
        "interval, interval + timestamp with time zone, date + integer, integer + date, date + "
        "interval, interval + date, interval + interval");
  CHECK_THAT(resolve_error("-", {kText}), StartsWith("operator -text does not exist"));
}

TEST_CASE("a misspelt function is named") {
  CHECK(resolve_error("uper", {kText}) ==
        "function uper(text) does not exist; did you mean upper?");
  CHECK(resolve_error("datetrunc", {kText, kTime}, {true, false}) ==
        "function datetrunc(literal, timestamp with time zone) does not exist; did you mean "
        "date_trunc?");
  CHECK(resolve_error("frobnicate", {kNull}) == "function frobnicate(null) does not exist");
}

TEST_CASE("a call that fits several functions equally well is refused") {
  const absl::StatusOr<ResolvedCall> found =
      resolve_function("+", std::vector<Type>{kText, kText}, {true, true});
  CHECK(found.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(found.status().message()),
             StartsWith("operator literal + literal is not unique; cast an argument to choose one "
                        "of: "));
}

TEST_CASE("time zones, the clock and chance are no functions") {
  for (const char* name : {"timezone", "now", "random", "clock_timestamp", "to_char"}) {
    CHECK_FALSE(resolve_function(name, std::vector<Type>{}, {}).ok());
  }
}

TEST_CASE("implicit casts lose nothing") {
  CHECK(can_cast_implicitly(kInteger, kBigint));
  CHECK_FALSE(can_cast_implicitly(kBigint, kInteger));
  CHECK(can_cast_implicitly(kInteger, kMoney));
  CHECK_FALSE(can_cast_implicitly(kBigint, kMoney));
  CHECK_FALSE(can_cast_implicitly(kInteger, Type::numeric(10, 2)));
  CHECK(can_cast_implicitly(kMoney, Type::numeric(14, 4)));
  CHECK_FALSE(can_cast_implicitly(kMoney, Type::numeric(13, 4)));
  CHECK_FALSE(can_cast_implicitly(kMoney, Type::numeric(12, 1)));
  CHECK(can_cast_implicitly(kMoney, kDouble));
  CHECK_FALSE(can_cast_implicitly(kDouble, kMoney));
  CHECK(can_cast_implicitly(kDate, kTime));
  CHECK_FALSE(can_cast_implicitly(kTime, kDate));
  CHECK(can_cast_implicitly(kNull, kInterval));
  CHECK_FALSE(can_cast_implicitly(kText, kInteger));
  CHECK_FALSE(can_cast_implicitly(kBoolean, kInteger));
}

TEST_CASE("explicit casts are those of PostgreSQL") {
  const Type types[] = {kBoolean, kInteger,      kBigint, kDouble, kMoney,
                        kText,    Type::bytea(), kTime,   kDate,   kInterval};
  for (const Type& type : types) {
    CHECK(can_cast_explicitly(type, type));
    CHECK(can_cast_explicitly(type, kText));
    CHECK(can_cast_explicitly(kText, type));
    CHECK(can_cast_explicitly(kNull, type));
  }
  for (const Type& from : {kInteger, kBigint, kDouble, kMoney}) {
    for (const Type& to : {kInteger, kBigint, kDouble, kMoney})
      CHECK(can_cast_explicitly(from, to));
    CHECK_FALSE(can_cast_explicitly(from, kTime));
    CHECK_FALSE(can_cast_explicitly(kInterval, from));
  }
  CHECK(can_cast_explicitly(kBoolean, kInteger));
  CHECK(can_cast_explicitly(kInteger, kBoolean));
  CHECK_FALSE(can_cast_explicitly(kBoolean, kBigint));
  CHECK(can_cast_explicitly(kTime, kDate));
  CHECK(can_cast_explicitly(kDate, kTime));
  CHECK_FALSE(can_cast_explicitly(kTime, kInterval));
  CHECK_FALSE(can_cast_explicitly(Type::bytea(), kInteger));
}

TEST_CASE("the common type holds the values of both") {
  CHECK(*common_type(kInteger, kBigint) == kBigint);
  CHECK(*common_type(kInteger, kMoney) == kMoney);
  CHECK(*common_type(kBigint, kMoney) == Type::numeric(21, 2));
  CHECK(*common_type(Type::numeric(4, 4), kMoney) == Type::numeric(14, 4));
  CHECK(*common_type(kMoney, kDouble) == kDouble);
  CHECK(*common_type(kNull, kDate) == kDate);
  CHECK(*common_type(kDate, kNull) == kDate);
  CHECK(*common_type(kDate, kTime) == kTime);
  CHECK(*common_type(kNull, kNull) == kNull);
  CHECK(*common_type(Type::numeric(38, 0), Type::numeric(10, 6)) == Type::numeric(38, 6));
  CHECK(common_type(kText, kBigint).status().message() ==
        "types text and bigint have no common type; cast one of them");
  CHECK_FALSE(common_type(kBoolean, kInteger).ok());
}

TEST_CASE("function names are ascending and without repetition") {
  const std::vector<std::string> names = function_names();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK(std::find(names.begin(), names.end(), "date_trunc") != names.end());
}

}  // namespace
}  // namespace kappa::operators
