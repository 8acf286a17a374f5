#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

Value ts(const char* text) {
  return value_of(Type::timestamptz(), text);
}
Value date(const char* text) {
  return value_of(Type::date(), text);
}
Value interval(const char* text) {
  return value_of(Type::interval(), text);
}
Value i(int32_t value) {
  return Value::integer(value);
}
Value d(double value) {
  return Value::double_precision(value);
}

constexpr const char* kTimestampRange = "error: timestamp out of range: years 0001 to 9999";

// What parse_value writes for an interval, so that these tests don't depend on its notation.
std::string span(const char* text) {
  return to_text(interval(text));
}

TEST_CASE("a timestamptz moves by an interval") {
  CHECK(result_of("+", {ts("2018-04-01T00:00:00Z"), interval("90 minutes")}) ==
        "2018-04-01T01:30:00Z");
  CHECK(result_of("+", {interval("1 day"), ts("2018-02-28T12:00:00Z")}) == "2018-03-01T12:00:00Z");
  CHECK(result_of("-", {ts("1970-01-01T00:00:00Z"), interval("1 microsecond")}) ==
        "1969-12-31T23:59:59.999999Z");
  CHECK(result_of("-", {ts("2018-04-02T00:00:00Z"), ts("2018-04-01T00:00:10Z")}) ==
        span("23:59:50"));
  CHECK(result_of("-", {ts("2018-04-01T00:00:00Z"), ts("2018-04-03T01:00:00Z")}) ==
        span("-2 days -01:00:00"));
}

TEST_CASE("time never leaves the years 0001 to 9999") {
  CHECK(result_of("+", {ts("9999-12-31T23:59:59Z"), interval("1 second")}) == kTimestampRange);
  CHECK(result_of("-", {ts("0001-01-01T00:00:00Z"), interval("1 microsecond")}) == kTimestampRange);
  CHECK(result_of("+", {ts("9999-12-31T23:59:59Z"), interval("100000000 days")}) ==
        kTimestampRange);
  const Value longest = Value{Type::interval(), INT64_MAX};
  const Value shortest = Value{Type::interval(), INT64_MIN};
  CHECK(result_of("+", {ts("9999-12-31T23:59:59Z"), longest}) == kTimestampRange);
  CHECK(result_of("-", {ts("9999-12-31T23:59:59Z"), shortest}) == kTimestampRange);
  CHECK(result_of("+", {date("9999-12-31"), i(1)}) ==
        "error: date out of range: years 0001 to 9999");
  CHECK(result_of("-", {date("0001-01-01"), i(1)}) ==
        "error: date out of range: years 0001 to 9999");
  CHECK(result_of("+", {date("9999-12-31"), interval("1 day")}) == kTimestampRange);
  CHECK(result_of("-", {date("0001-01-01"), interval("1 day")}) == kTimestampRange);
  CHECK(result_of("to_timestamp", {d(1e18)}) == kTimestampRange);
  CHECK(result_of("to_timestamp", {d(3e11)}) == kTimestampRange);
}

TEST_CASE("dates count days") {
  CHECK(result_of("+", {date("2018-02-28"), i(1)}) == "2018-03-01");
  CHECK(result_of("+", {i(1), date("2020-02-28")}) == "2020-02-29");
  CHECK(result_of("-", {date("2018-03-01"), i(1)}) == "2018-02-28");
  CHECK(result_of("-", {date("2018-03-01"), date("2018-01-01")}) == "59");
  CHECK(result_of("+", {date("2018-03-01"), interval("1 hour")}) == "2018-03-01T01:00:00Z");
  CHECK(result_of("+", {interval("1 hour"), date("2018-03-01")}) == "2018-03-01T01:00:00Z");
  CHECK(result_of("-", {date("2018-03-01"), interval("1 hour")}) == "2018-02-28T23:00:00Z");
  CHECK(result_of("date", {ts("2018-03-01T23:59:59Z")}) == "2018-03-01");
  CHECK(result_of("make_date", {i(2020), i(2), i(29)}) == "2020-02-29");
  CHECK(result_of("make_date", {i(2018), i(2), i(29)}) ==
        "error: date field value out of range: 2018-2-29");
  CHECK(result_of("make_date", {i(2018), i(13), i(1)}) ==
        "error: date field value out of range: 2018-13-1");
  CHECK(result_of("make_date", {i(0), i(1), i(1)}) ==
        "error: date field value out of range: 0-1-1");
}

TEST_CASE("intervals add, negate, multiply and divide") {
  CHECK(result_of("+", {interval("1 hour"), interval("30 minutes")}) == span("1:30:00"));
  CHECK(result_of("-", {interval("1 hour"), interval("30 minutes")}) == span("0:30:00"));
  CHECK(result_of("-", {interval("1 hour")}) == span("-1 hour"));
  CHECK(result_of("*", {interval("1 hour"), d(1.5)}) == span("1:30:00"));
  CHECK(result_of("*", {i(3), interval("20 minutes")}) == span("1 hour"));
  CHECK(result_of("/", {interval("1 hour"), i(4)}) == span("15 minutes"));
  CHECK(result_of("/", {interval("1 hour"), d(0)}) == "error: division by zero");
  CHECK(result_of("*", {interval("1000 days"), d(1e9)}) == "error: interval out of range");
  const Value longest = Value{Type::interval(), INT64_MAX};
  CHECK(result_of("+", {longest, interval("1 second")}) == "error: interval out of range");
  CHECK(result_of("-", {interval("-1 hour"), longest}) == "error: interval out of range");
  CHECK(result_of("-", {Value{Type::interval(), INT64_MIN}}) == "error: interval out of range");
}

TEST_CASE("to_timestamp counts seconds since 1970") {
  CHECK(result_of("to_timestamp", {d(1284352323.5)}) == "2010-09-13T04:32:03.5Z");
  CHECK(result_of("to_timestamp", {d(-0.000001)}) == "1969-12-31T23:59:59.999999Z");
  CHECK(result_of("to_timestamp", {value_of(Type::double_precision(), "NaN")}) == kTimestampRange);
}

TEST_CASE("date_trunc cuts a time to the unit before it") {
  const auto trunc = [](const char* unit, const char* time) {
    return result_of("date_trunc", {Value::text(unit), ts(time)});
  };
  const char* time = "2018-08-15T13:47:31.123456Z";  // a Wednesday
  CHECK(trunc("microseconds", time) == "2018-08-15T13:47:31.123456Z");
  CHECK(trunc("milliseconds", time) == "2018-08-15T13:47:31.123Z");
  CHECK(trunc("second", time) == "2018-08-15T13:47:31Z");
  CHECK(trunc("minute", time) == "2018-08-15T13:47:00Z");
  CHECK(trunc("HOUR", time) == "2018-08-15T13:00:00Z");
  CHECK(trunc("day", time) == "2018-08-15T00:00:00Z");
  CHECK(trunc("week", time) == "2018-08-13T00:00:00Z");
  CHECK(trunc("month", time) == "2018-08-01T00:00:00Z");
  CHECK(trunc("quarter", time) == "2018-07-01T00:00:00Z");
  CHECK(trunc("year", time) == "2018-01-01T00:00:00Z");
  CHECK(trunc("decade", time) == "2010-01-01T00:00:00Z");
  CHECK(trunc("century", time) == "2001-01-01T00:00:00Z");
  CHECK(trunc("century", "2000-06-01T00:00:00Z") == "1901-01-01T00:00:00Z");
  CHECK(trunc("millennium", time) == "2001-01-01T00:00:00Z");
  CHECK(trunc("day", "1969-12-31T23:00:00Z") == "1969-12-31T00:00:00Z");
  CHECK(trunc("second", "1969-12-31T23:59:59.5Z") == "1969-12-31T23:59:59Z");
  CHECK(trunc("week", "1970-01-01T00:00:00Z") == "1969-12-29T00:00:00Z");
  CHECK(trunc("week", "0001-01-03T00:00:00Z") == "0001-01-01T00:00:00Z");
  CHECK(trunc("decade", "0005-01-03T00:00:00Z") == kTimestampRange);
  CHECK(trunc("month", "1969-02-03T00:00:00Z") == "1969-02-01T00:00:00Z");
  CHECK(trunc("fortnight", time) ==
        "error: unit \"fortnight\" not recognized for date_trunc; units are microsecond, "
        "millisecond, second, minute, hour, day, week, month, quarter, year, decade, century, "
        "millennium");
  CHECK(trunc("dow", time) == "error: unit \"dow\" is no period that date_trunc knows");
  CHECK(result_of("date_trunc", {"day"_text, date("2018-08-15")}) == "2018-08-15T00:00:00Z");
  CHECK(result_of("date_trunc", {"hour"_text, interval("25:30:00")}) == span("25 hours"));
  CHECK(result_of("date_trunc", {"hour"_text, interval("-1:30:00")}) == span("-1 hour"));
  CHECK(result_of("date_trunc", {"month"_text, interval("1 day")}) ==
        "error: unit \"month\" is not one of an interval, which is days or less");
}

TEST_CASE("date_bin cuts a time to bins counted from an origin") {
  const auto bin = [](const char* stride, const char* time, const char* origin) {
    return result_of("date_bin", {interval(stride), ts(time), ts(origin)});
  };
  CHECK(bin("15 minutes", "2020-02-11T15:44:17Z", "2001-01-01T00:00:00Z") ==
        "2020-02-11T15:30:00Z");
  CHECK(bin("15 minutes", "2020-02-11T15:44:17Z", "2001-01-01T00:02:30Z") ==
        "2020-02-11T15:32:30Z");
  CHECK(bin("1 hour", "2000-12-31T23:30:00Z", "2001-01-01T00:00:00Z") == "2000-12-31T23:00:00Z");
  CHECK(bin("0 seconds", "2020-02-11T15:44:17Z", "2001-01-01T00:00:00Z") ==
        "error: stride must be greater than zero");
  CHECK(bin("100 days", "0001-01-02T00:00:00Z", "0001-01-03T00:00:00Z") == kTimestampRange);
}

TEST_CASE("extract and date_part take a field of a time") {
  const auto extract = [](const char* unit, const char* time) {
    const std::string part = result_of("date_part", {Value::text(unit), ts(time)});
    CHECK(result_of("extract", {Value::text(unit), ts(time)}) == part);
    return part;
  };
  const char* time = "2018-08-15T13:47:31.123456Z";
  CHECK(extract("microseconds", time) == "31123456");
  CHECK(extract("milliseconds", time) == "31123.456");
  CHECK(extract("second", time) == "31.123456");
  CHECK(extract("minute", time) == "47");
  CHECK(extract("hour", time) == "13");
  CHECK(extract("day", time) == "15");
  CHECK(extract("week", time) == "33");
  CHECK(extract("month", time) == "8");
  CHECK(extract("quarter", time) == "3");
  CHECK(extract("year", time) == "2018");
  CHECK(extract("decade", time) == "201");
  CHECK(extract("century", time) == "21");
  CHECK(extract("century", "2000-01-01T00:00:00Z") == "20");
  CHECK(extract("millennium", time) == "3");
  CHECK(extract("dow", time) == "3");
  CHECK(extract("dow", "2018-08-19T00:00:00Z") == "0");
  CHECK(extract("isodow", "2018-08-19T00:00:00Z") == "7");
  CHECK(extract("isodow", "1969-12-29T00:00:00Z") == "1");
  CHECK(extract("doy", time) == "227");
  CHECK(extract("isoyear", "2006-01-01T00:00:00Z") == "2005");
  CHECK(extract("week", "2006-01-01T00:00:00Z") == "52");
  CHECK(extract("week", "2018-12-31T00:00:00Z") == "1");
  CHECK(extract("epoch", "2001-02-16T20:38:40.12Z") == "982355920.12");
  CHECK(extract("hour", "1969-12-31T23:30:00Z") == "23");
  CHECK(extract("second", "1969-12-31T23:59:59.5Z") == "59.5");
  CHECK(extract("eon", time).starts_with("error: unit \"eon\" not recognized for extract; units"));
  CHECK(result_of("extract", {"month"_text, date("2018-08-15")}) == "8");
}

TEST_CASE("extract takes a field of an interval, which is days and a time") {
  const Value span = interval("2 days 03:04:05.5");
  CHECK(result_of("extract", {"day"_text, span}) == "2");
  CHECK(result_of("extract", {"hour"_text, span}) == "3");
  CHECK(result_of("extract", {"minute"_text, span}) == "4");
  CHECK(result_of("extract", {"second"_text, span}) == "5.5");
  CHECK(result_of("extract", {"epoch"_text, span}) == "183845.5");
  CHECK(result_of("date_part", {"hour"_text, interval("-1:30:00")}) == "-1");
  CHECK(result_of("extract", {"month"_text, span}) ==
        "error: unit \"month\" is not one of an interval, which is days or less");
}

TEST_CASE("a unit from a column is looked up in each row") {
  Arena arena;
  const Value time = ts("2018-08-15T13:47:31Z");
  const Batch batch = batch_of({Type::text(), Type::timestamptz()},
                               {{"day"_text, time}, {"hour"_text, time}, {"?"_text, time}}, arena);
  const ExprRef unit = column_expr(0, Type::text());
  const std::vector<std::string> rows =
      run(call("date_trunc", {unit, column_expr(1, Type::timestamptz())}), batch);
  CHECK(rows[0] == "2018-08-15T00:00:00Z");
  CHECK(rows[1] == "2018-08-15T13:00:00Z");
  CHECK(rows[2].starts_with("error: unit \"?\" not recognized"));
}

}  // namespace
}  // namespace kappa::operators
