#include <catch2/catch.hpp>

#include "test/sql/compiled.h"

// How expressions bind: their functions, types and implicit casts, as canonical text.
namespace kappa::sql {
namespace {

struct Bound {
  const char* text;
  const char* expression;
};

void check_all(const std::vector<Bound>& all) {
  for (const Bound& each : all) {
    INFO(each.text);
    CHECK(expression(each.text) == each.expression);
  }
}

struct Slip {
  const char* text;
  const char* fault;
};

void refuse_all(const std::vector<Slip>& slips) {
  for (const Slip& slip : slips) {
    INFO(slip.text);
    CHECK(expression_faults(slip.text) == Lines{slip.fault});
  }
}

}  // namespace

TEST_CASE("constants have PostgreSQL's types") {
  check_all({
      {"1", "'1'::integer"},
      {"-1", "'-1'::integer"},
      {"- (-7)", "'7'::integer"},
      {"-(7)", "'-7'::integer"},
      {"- /* a comment */ 3", "'-3'::integer"},
      {"0", "'0'::integer"},
      {"-0", "'0'::integer"},
      {"2147483647", "'2147483647'::integer"},
      {"2147483648", "'2147483648'::bigint"},
      {"-9223372036854775808", "'-9223372036854775808'::bigint"},
      {"9223372036854775808", "'9223372036854775808'::numeric(19,0)"},
      {"1.50", "'1.50'::numeric(3,2)"},
      {"-.5", "'-0.5'::numeric(1,1)"},
      {"0.50", "'0.50'::numeric(2,2)"},
      {"0.0", "'0.0'::numeric(1,1)"},
      {"0012.5", "'12.5'::numeric(3,1)"},
      {"1e3", "'1000'::numeric(4,0)"},
      {"1.25e-3", "'0.00125'::numeric(5,5)"},
      {"true", "'true'::boolean"},
      {"NULL", "NULL::text"},
      {"'it''s'", "'it''s'::text"},
      {"E'a\\nb'", "'a\nb'::text"},
      {"$$it's$$", "'it''s'::text"},
      {"INTERVAL '1 day' - INTERVAL '1 microsecond'", "'23:59:59.999999'::interval"},
      {"INTERVAL '2' HOUR", "'02:00:00'::interval"},
      {"DATE '2018-04-01'", "'2018-04-01'::date"},
      {"TIMESTAMPTZ '2018-04-01 00:00:31.5+02'",
       "'2018-03-31T22:00:31.5Z'::timestamp with time "
       "zone"},
      {"'5'::integer", "'5'::integer"},
      {"CAST('1.5' AS numeric(4,2))", "'1.50'::numeric(4,2)"},
      {"NULL::bigint", "NULL::bigint"},
      {"1 + 2 * 3", "'7'::integer"},
  });
}

TEST_CASE("operators cast their sides to what they take") {
  check_all({
      {"i + 1", "\"+\"<integer,integer:integer>(i, '1'::integer)"},
      {"i + l", "\"+\"<bigint,bigint:bigint>(cast(i)::bigint, l)"},
      {"i + '5'", "\"+\"<integer,integer:integer>(i, '5'::integer)"},
      {"-i", "\"-\"<integer:integer>(i)"},
      {"d > 1", "\">\"<double precision,double precision:boolean>(d, '1'::double precision)"},
      {"s || 'x'", "\"||\"<text,text:text>(s, 'x'::text)"},
      {"at > '2018-04-01'",
       "\">\"<timestamp with time zone,timestamp with time zone:boolean>(at, "
       "'2018-04-01T00:00:00Z'::timestamp with time zone)"},
      {"at + INTERVAL '1 day'",
       "\"+\"<timestamp with time zone,interval:timestamp with time zone>(at, '1 day'::interval)"},
      {"i <> 1", "\"<>\"<integer,integer:boolean>(i, '1'::integer)"},
      {"i != 1", "\"<>\"<integer,integer:boolean>(i, '1'::integer)"},
      {"s LIKE 'a%'", "\"~~\"<text,text:boolean>(s, 'a%'::text)"},
      {"s NOT LIKE 'a%'", "\"!~~\"<text,text:boolean>(s, 'a%'::text)"},
      {"s ILIKE 'a%'", "\"~~*\"<text,text:boolean>(s, 'a%'::text)"},
      {"s NOT ILIKE 'a%'", "\"!~~*\"<text,text:boolean>(s, 'a%'::text)"},
      {"i IS DISTINCT FROM 3", "\"is distinct from\"<integer,integer:boolean>(i, '3'::integer)"},
      {"i IS NOT DISTINCT FROM 3",
       "\"is not distinct from\"<integer,integer:boolean>(i, '3'::integer)"},
  });
}

TEST_CASE("special forms are bound to what they stand for") {
  check_all({
      {"i BETWEEN 1 AND 3",
       "and(\">=\"<integer,integer:boolean>(i, '1'::integer), "
       "\"<=\"<integer,integer:boolean>(i, '3'::integer))::boolean"},
      {"i NOT BETWEEN -3 AND -1",
       "not(and(\">=\"<integer,integer:boolean>(i, '-3'::integer), "
       "\"<=\"<integer,integer:boolean>(i, '-1'::integer))::boolean)::boolean"},
      {"s IN ('a')", "\"=\"<text,text:boolean>(s, 'a'::text)"},
      {"i IN (1, 2)",
       "or(\"=\"<integer,integer:boolean>(i, '1'::integer), "
       "\"=\"<integer,integer:boolean>(i, '2'::integer))::boolean"},
      {"i NOT IN (1, 2)",
       "and(\"<>\"<integer,integer:boolean>(i, '1'::integer), "
       "\"<>\"<integer,integer:boolean>(i, '2'::integer))::boolean"},
      {"flag AND NOT flag OR NULL",
       "or(and(flag, not(flag)::boolean)::boolean, NULL::boolean)::boolean"},
      {"s IS NULL", "is_null(s)::boolean"},
      {"s IS NOT NULL", "not(is_null(s)::boolean)::boolean"},
      {"flag IS TRUE", "coalesce(flag, 'false'::boolean)::boolean"},
      {"flag IS NOT TRUE", "not(coalesce(flag, 'false'::boolean)::boolean)::boolean"},
      {"flag IS FALSE", "not(coalesce(flag, 'true'::boolean)::boolean)::boolean"},
      {"flag IS NOT FALSE", "coalesce(flag, 'true'::boolean)::boolean"},
      {"flag IS UNKNOWN", "is_null(flag)::boolean"},
      {"flag IS NOT UNKNOWN", "not(is_null(flag)::boolean)::boolean"},
      {"NULLIF(i, 0)",
       "case(\"=\"<integer,integer:boolean>(i, '0'::integer), NULL::integer, i)::integer"},
      {"COALESCE(i, l, NULL)", "coalesce(cast(i)::bigint, l, NULL::bigint)::bigint"},
      {"COALESCE(s, 'x')", "coalesce(s, 'x'::text)::text"},
      {"CASE WHEN flag THEN 1 ELSE l END", "case(flag, '1'::bigint, l)::bigint"},
      {"CASE i WHEN 1 THEN 'one' WHEN 2 THEN 'two' END",
       "case(\"=\"<integer,integer:boolean>(i, '1'::integer), 'one'::text, "
       "\"=\"<integer,integer:boolean>(i, '2'::integer), 'two'::text, NULL::text)::text"},
      {"GREATEST(i, 3)", "\"greatest\"<integer,...:integer>(i, '3'::integer)"},
      {"LEAST(l, i)", "\"least\"<bigint,...:bigint>(l, cast(i)::bigint)"},
      {"i::text", "cast(i)::text"},
      {"CAST(s AS date)", "cast(s)::date"},
      {"i::integer", "a column"},
      {"try_cast(s, 'numeric(4,2)')", "try_cast(s)::numeric(4,2)"},
      {"try_cast(s, 'double precision')", "try_cast(s)::double precision"},
      {"try_cast('x', 'integer')", "NULL::integer"},
  });
}

TEST_CASE("functions written with words of their own are found by name") {
  check_all({
      {"upper(s)", "\"upper\"<text:text>(s)"},
      {"pg_catalog.upper(s)", "\"upper\"<text:text>(s)"},
      {"substring(s FROM 2 FOR 3)",
       "\"substring\"<text,integer,integer:text>(s, '2'::integer, '3'::integer)"},
      {"position('x' IN s)", "\"position\"<text,text:integer>(s, 'x'::text)"},
      {"trim(s)", "\"btrim\"<text:text>(s)"},
      {"round(n, 1)", "\"round\"<numeric,integer:numeric(12,1)>(n, '1'::integer)"},
  });
  CHECK_THAT(expression("EXTRACT(hour FROM at)"), Catch::StartsWith("\"extract\""));
  CHECK_THAT(expression("date_trunc('hour', at)"), Catch::StartsWith("\"date_trunc\""));
}

TEST_CASE("unknown names are told with what is like them") {
  refuse_all({
      {"flg", "1:1: column \"flg\" does not exist; did you mean \"flag\"?"},
      {"q",
       "1:1: column \"q\" does not exist; there are flag, i, l, d, n, s, bytes, at, day, span"},
      {"u.flag", "1:1: FROM has no table \"u\"; there is t"},
      {"t.flg", "1:1: column \"t.flg\" does not exist; did you mean \"flag\"?"},
      {"a.b.c", "1:1: a column is named alone or as table.column"},
      {"\"text\"",
       "1:1: column \"text\" does not exist; double quotes hold names; texts stand in single "
       "quotes"},
      {"uper(s)", "1:1: function uper(text) does not exist; did you mean upper?"},
      {"i == 1", "1:3: operator == does not exist; write ="},
      {"s::txt", "1:4: type \"txt\" does not exist; did you mean \"text\"?"},
      {"try_cast(s, 'txt')", "1:13: type \"txt\" does not exist"},
      {"try_cast(s, 'integer), (1')",
       "1:13: \"integer), (1\" is not a type; name one, such as 'integer' or 'numeric(12,2)'"},
      {"try_cast(s)",
       "1:1: try_cast takes a value and the name of a type; write try_cast(x, 'integer')"},
      {"my.upper(s)", "1:1: a function's name has no schema here"},
  });
}

TEST_CASE("types that do not fit are named, both of them") {
  refuse_all({
      {"flag + 1",
       "1:6: operator boolean + integer does not exist; there is: integer + integer, "
       "bigint + bigint, double precision + double precision, numeric + numeric, "
       "timestamp with time zone + interval, interval + timestamp with time zone, date "
       "+ integer, integer + date, date + interval, interval + date, interval + "
       "interval"},
      {"CASE WHEN flag THEN 1 ELSE s END",
       "1:28: CASE has both integer and text; cast one of them to the type of the other"},
      {"CASE WHEN i THEN 1 END",
       "1:11: WHEN needs a boolean, found integer; compare it with "
       "something"},
      {"COALESCE(i, s)",
       "1:13: COALESCE has both integer and text; cast one of them to the type of the other"},
      {"i AND flag", "1:1: AND needs a boolean, found integer; compare it with something"},
      {"NOT s", "1:5: NOT needs a boolean, found text; compare it with something"},
      {"s IS TRUE",
       "1:1: a test for TRUE, FALSE or UNKNOWN needs a boolean, found text; compare it with "
       "something"},
      {"flag::date", "1:1: cannot cast boolean to date"},
  });
}

TEST_CASE("literals that their type does not read are refused where they stand") {
  const auto message = [](const char* text) { return expression_faults(text).at(0); };
  CHECK_THAT(message("'2018-13-01'::date"),
             Catch::StartsWith("1:1: ") && Catch::Contains("2018-13-01"));
  CHECK_THAT(message("at > 'noon'"), Catch::StartsWith("1:6: ") && Catch::Contains("noon"));
  CHECK_THAT(message("i + 'x'"), Catch::StartsWith("1:5: "));
  CHECK_THAT(message("INTERVAL '1 month'"), Catch::StartsWith("1:10: "));
  refuse_all({
      {"INTERVAL '1-2' YEAR TO MONTH",
       "1:1: this form of an interval is not supported yet; write the unit inside of the quotes: "
       "INTERVAL '5 minutes'"},
      {"123456789012345678901234567890123456789",
       "1:1: the number 123456789012345678901234567890123456789 has more than 38 digits; write it "
       "as a double precision: '…'::double precision"},
      {"1e400",
       "1:1: the number 1e400 has more than 38 digits; write it as a double precision: "
       "'…'::double precision"},
  });
}

TEST_CASE("what is no function of the record is refused with the reason") {
  const std::string reason =
      " is not a function of the record, so no replay would repeat it; use a column of the source, "
      "such as its event time, or write the value itself";
  for (const char* name : {"now()", "random()", "clock_timestamp()", "gen_random_uuid()"}) {
    CHECK(expression_faults(name) == Lines{"1:1: " + (name + reason)});
  }
  for (const char* name :
       {"current_timestamp", "current_date", "localtimestamp", "current_time(3)"}) {
    CHECK(expression_faults(name) == Lines{"1:1: the present time" + reason});
  }
}

TEST_CASE("expressions that are not supported are refused by name") {
  refuse_all({
      {"(SELECT 1)", "1:1: a subquery in an expression is not supported yet"},
      {"EXISTS (SELECT 1)", "1:1: a subquery in an expression is not supported yet"},
      {"i IN (SELECT 1)", "1:1: a subquery in an expression is not supported yet"},
      {"ARRAY[i]", "1:1: ARRAY[…] is not supported yet"},
      {"s[1]", "1:1: a subscript or field of a value is not supported yet"},
      {"(t).s", "1:2: a subscript or field of a value is not supported yet"},
      {"ROW(1, 2)", "1:1: a row value is not supported yet; compare the columns one by one"},
      {"i = ANY (s)", "1:1: ANY or SOME is not supported yet; write x IN (a, b)"},
      {"i <> ALL (s)", "1:1: ALL is not supported yet; write x NOT IN (a, b)"},
      {"s SIMILAR TO 'a'",
       "1:1: SIMILAR TO is not supported yet; write LIKE or a regular expression with ~"},
      {"i BETWEEN SYMMETRIC 3 AND 1",
       "1:1: BETWEEN SYMMETRIC is not supported yet; put the smaller bound first and leave "
       "SYMMETRIC out"},
      {"s LIKE 'a' ESCAPE '!'", "1:3: LIKE … ESCAPE is not supported yet; escape with a backslash"},
      {"s COLLATE \"C\"", "1:1: COLLATE is not supported yet; text is ordered by its bytes"},
      {"at AT TIME ZONE 'Europe/Rome'",
       "1:1: AT TIME ZONE is not supported yet; every time is in UTC"},
      {"$1", "1:1: a parameter ($1) is not supported yet; write the value"},
      {"B'101'", "1:1: a bit string is not supported yet"},
      {"upper(x => s)",
       "1:7: a named argument (name => value) is not supported yet; give the arguments in order"},
      {"upper(VARIADIC s)", "1:1: VARIADIC is not supported yet"},
      {"upper(DISTINCT s)", "1:1: DISTINCT in this call is not supported yet"},
      {"upper(s) FILTER (WHERE flag)",
       "1:10: FILTER on a function that is no aggregate is not supported yet; write CASE WHEN … "
       "THEN … END"},
      {"upper(s ORDER BY s)", "1:9: ORDER BY in a call is not supported yet"},
      {"count(*) OVER (PARTITION BY s)", "1:1: OVER needs ORDER BY the event time"},
      {"rank() OVER w",
       "1:1: rank() OVER is not supported yet; for the first rows of a key write ROW_NUMBER() OVER "
       "(…) AS rn, and WHERE rn <= 3 in the query around it"},
      {"lead(s) OVER w",
       "1:1: lead() OVER is not supported yet; there are count, sum, avg, min, max, stddev, "
       "stddev_pop, count(DISTINCT …), lag, first_value, last_value and is_late"},
      {"lag(s)", "1:1: lag() is not supported yet"},
      {"top_k(i, 3)",
       "1:1: the aggregate top_k is not supported yet; there are count, sum, avg, min, max, "
       "stddev, stddev_pop, count(DISTINCT …), first, last, arg_min, arg_max, decayed_sum, "
       "approx_count_distinct and approx_quantile"},
      {"stddev(s)", "1:1: stddev(text) does not exist; it takes a number"},
      {"stddev(DISTINCT i)",
       "1:1: stddev(DISTINCT …) is not supported yet; there is count(DISTINCT …)"},
      {"arg_min(i)", "1:1: arg_min takes two arguments, found 1"},
      {"arg_min(i, flag)",
       "1:12: arg_min by boolean does not exist; it goes by a number, text, bytea, a time or an "
       "interval"},
      {"approx_quantile(i)",
       "1:1: approx_quantile takes two arguments, found 1; write approx_quantile(x, 0.95)"},
      {"approx_quantile(i, 95)",
       "1:20: the quantile must be a constant from 0 to 1; write approx_quantile(x, 0.95)"},
      {"approx_quantile(i, d)",
       "1:20: the quantile must be a constant from 0 to 1; write approx_quantile(x, 0.95)"},
      {"approx_quantile(s, 0.5)", "1:1: approx_quantile(text) does not exist; it takes a number"},
      {"decayed_sum(i)",
       "1:1: decayed_sum takes two arguments, found 1; write decayed_sum(x, INTERVAL '1 hour')"},
      {"decayed_sum(i, INTERVAL '0 s')",
       "1:16: the half-life must be more than zero; write decayed_sum(x, INTERVAL '1 hour')"},
      {"decayed_sum(i, '1 month')",
       "1:16: the half-life cannot be in months or years: their length varies; write it in days: "
       "INTERVAL '30 days'"},
      {"sum(DISTINCT i)", "1:1: sum(DISTINCT …) is not supported yet; there is count(DISTINCT …)"},
      {"sum(i ORDER BY i)", "1:7: ORDER BY in a call is not supported yet"},
      {"sum(*)", "1:1: sum(*) does not exist"},
      {"count()", "1:1: count takes one argument, found 0"},
      {"count(i, l)", "1:1: count takes one argument, found 2"},
      {"sum(s)", "1:1: sum(text) does not exist; it takes a number"},
      {"tumble(at, INTERVAL '1 minute')",
       "1:1: tumble() stands in FROM; write FROM tumble(t, event_time, INTERVAL '1 minute') GROUP "
       "BY window_start"},
  });
}

}  // namespace kappa::sql
