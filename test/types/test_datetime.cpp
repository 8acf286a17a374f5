#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "engine/types/datetime.h"
#include "engine/types/time.h"

namespace kappa {

TEST_CASE("days and civil dates agree on the edges of the calendar") {
  CHECK(days_from_civil({1970, 1, 1}) == 0);
  CHECK(days_from_civil({1969, 12, 31}) == -1);
  CHECK(days_from_civil({2000, 2, 29}) == 11'016);
  CHECK(days_from_civil({2000, 3, 1}) == 11'017);
  CHECK(days_from_civil({1, 1, 1}) == -719'162);
  CHECK(days_from_civil({9999, 12, 31}) == 2'932'896);
}

TEST_CASE("counting through the calendar a day at a time meets every date once") {
  const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t days = days_from_civil({-4, 1, 1});
  for (int32_t year = -4; year <= 2401; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    for (int32_t month = 1; month <= 12; ++month) {
      const int32_t length = lengths[month - 1] + (leap && month == 2 ? 1 : 0);
      for (int32_t day = 1; day <= length; ++day, ++days) {
        REQUIRE(days_from_civil({year, month, day}) == days);
        const CivilDate date = civil_from_days(days);
        REQUIRE((date.year == year && date.month == month && date.day == day));
      }
    }
  }
}

TEST_CASE("timestamps are read as RFC 3339 or, without a zone, as UTC") {
  CHECK(parse_timestamp("1970-01-01T00:00:01Z") == 1'000'000);
  CHECK(parse_timestamp("2018-04-01T00:00:31.5+02:00") ==
        parse_timestamp("2018-03-31 22:00:31.500000"));
  CHECK(parse_timestamp("2015-07-15 00:08:19.999") == 1'436'918'899'999'000);
  CHECK(parse_timestamp("2015-07-15") == 1'436'918'400'000'000);
  CHECK(parse_timestamp("2015-07-15 10:30") == 1'436'956'200'000'000);
  CHECK(parse_timestamp("2015-07-15t10:30:00z") == 1'436'956'200'000'000);
  CHECK(parse_timestamp("2015-07-15 10:30:00+00") == 1'436'956'200'000'000);
  CHECK(parse_timestamp("2015-07-15 10:30:00-0130") == 1'436'961'600'000'000);
  CHECK(parse_timestamp("1969-12-31T23:59:59.999999Z") == -1);
  CHECK(parse_timestamp("2016-12-31T23:59:60Z") == parse_timestamp("2017-01-01T00:00:00Z"));
  CHECK(parse_timestamp("2000-02-29T00:00:00Z").has_value());
}

TEST_CASE("what is not a time is refused") {
  for (const char* text : {"",
                           "x",
                           "2015",
                           "2015-07",
                           "2015-7-15",
                           "2015-07-15T",
                           "2015-07-15T10",
                           "2015-07-15T1:30",
                           "2015-07-15T10:30:",
                           "2015-07-15T10:30:0",
                           "2015-07-15T10:30:00.",
                           "2015-13-01",
                           "2015-00-01",
                           "2015-01-00",
                           "2015-02-29",
                           "1900-02-29",
                           "2015-04-31",
                           "0000-01-01",
                           "2015-07-15T24:00:00Z",
                           "2015-07-15T10:60:00Z",
                           "2015-07-15T10:30:61Z",
                           "2015-07-15T10:30:00.1234567Z",
                           "2015-07-15T10:30:00Zx",
                           "2015-07-15T10:30:00+",
                           "2015-07-15T10:30:00+1",
                           "2015-07-15T10:30:00+24:00",
                           "2015-07-15T10:30:00+01:60",
                           "2015-07-15T10:30:00+01:",
                           "2015-07-15  10:30:00",
                           " 2015-07-15",
                           "2015-07-15 ",
                           "0001-01-01T00:00:00+02:00",
                           "9999-12-31T23:59:59-00:01",
                           "２015-07-15",
                           "+2015-07-15"}) {
    INFO(text);
    CHECK_FALSE(parse_timestamp(text).has_value());
  }
}

TEST_CASE("timestamps are written with no more fraction digits than needed") {
  CHECK(timestamp_to_text(0) == "1970-01-01T00:00:00Z");
  CHECK(timestamp_to_text(1'000'000) == "1970-01-01T00:00:01Z");
  CHECK(timestamp_to_text(500'000) == "1970-01-01T00:00:00.5Z");
  CHECK(timestamp_to_text(-1) == "1969-12-31T23:59:59.999999Z");
  CHECK(timestamp_to_text(10) == "1970-01-01T00:00:00.00001Z");
  CHECK(timestamp_to_text(-719'162 * kMicrosPerDay) == "0001-01-01T00:00:00Z");
}

TEST_CASE("every microsecond in reach reads back as it was written") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> times(-719'162 * kMicrosPerDay,
                                               2'932'897 * kMicrosPerDay - 1);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t us = times(random);
    REQUIRE(parse_timestamp(timestamp_to_text(us)) == us);
  }
}

TEST_CASE("dates are read and written as ISO 8601 days") {
  CHECK(parse_date("1970-01-02") == 1);
  CHECK(parse_date("0001-01-01") == -719'162);
  CHECK(parse_date("2000-02-29").has_value());
  CHECK(date_to_text(-1) == "1969-12-31");
  CHECK(date_to_text(11'016) == "2000-02-29");
  for (const char* text : {"", "2001-02-29", "2001-2-3", "2001-02-03T", "20010203", "0000-12-31"}) {
    INFO(text);
    CHECK_FALSE(parse_date(text).has_value());
  }
}

TEST_CASE("watermark arithmetic stays at the ends of time") {
  CHECK(saturating_add(1, 2) == 3);
  CHECK(saturating_add(kNoEventTime.us, -5) == kNoEventTime.us);
  CHECK(saturating_add(kEndOfTime.us, 5) == kEndOfTime.us);
}

}  // namespace kappa
