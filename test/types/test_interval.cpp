#include <random>

#include <catch2/catch.hpp>

#include "engine/types/datetime.h"
#include "engine/types/time.h"

namespace kappa {

TEST_CASE("intervals are read as PostgreSQL writes and takes them") {
  CHECK(parse_interval("5 minutes") == 5 * kMicrosPerMinute);
  CHECK(parse_interval("1 day 02:00:00") == kMicrosPerDay + 2 * kMicrosPerHour);
  CHECK(parse_interval("-1.5 hours") == -90 * kMicrosPerMinute);
  CHECK(parse_interval("10s") == 10 * kMicrosPerSecond);
  CHECK(parse_interval("PT5M") == 5 * kMicrosPerMinute);
  CHECK(parse_interval("P1DT2H3M4.5S") ==
        kMicrosPerDay + 2 * kMicrosPerHour + 3 * kMicrosPerMinute + 4'500'000);
  CHECK(parse_interval("P2W") == 14 * kMicrosPerDay);
  CHECK(parse_interval("PT-30S") == -30 * kMicrosPerSecond);
  CHECK(parse_interval("1 microsecond") == 1);
  CHECK(parse_interval("250 ms") == 250'000);
  CHECK(parse_interval("3 days ago") == -3 * kMicrosPerDay);
  CHECK(parse_interval("@ 1 hour 2 mins") == 62 * kMicrosPerMinute);
  CHECK(parse_interval("1 Week") == 7 * kMicrosPerDay);
  CHECK(parse_interval("00:00:10.5") == 10'500'000);
  CHECK(parse_interval("-00:30") == -30 * kMicrosPerMinute);
  CHECK(parse_interval("100:00:00") == 100 * kMicrosPerHour);
  CHECK(parse_interval("1 day -02:00:00") == kMicrosPerDay - 2 * kMicrosPerHour);
  CHECK(parse_interval("10") == 10 * kMicrosPerSecond);
  CHECK(parse_interval("1 02:00:00") == kMicrosPerDay + 2 * kMicrosPerHour);
  CHECK(parse_interval("0.5 days 1 hour") == 13 * kMicrosPerHour);
  CHECK(parse_interval("1 hour 30 minutes") == 90 * kMicrosPerMinute);
  CHECK(parse_interval(" 1 hour ") == kMicrosPerHour);
}

TEST_CASE("what is not an interval of fixed length is refused") {
  for (const char* text : {"",
                           " ",
                           "minutes",
                           "5 parsecs",
                           "5 minutes x",
                           "1:2",
                           "01:60:00",
                           "01:00:60",
                           "1..5 hours",
                           "-",
                           "ago",
                           "P",
                           "PT",
                           "P1DT",
                           "P1H",
                           "PT1D",
                           "P5",
                           "1 day ago 2 hours",
                           "0.0000001 s",
                           "10000000000000 days",
                           "99999999999999999999999999 s",
                           "5 minutes, 3 s",
                           "1.5:00:00",
                           "0.1 us"}) {
    INFO(text);
    CHECK_FALSE(parse_interval(text).has_value());
  }
}

TEST_CASE("months and years are refused for their varying length") {
  for (const char* text : {"1 month", "2 years", "P1M", "P1Y", "1 mon 2 days", "1 decade"}) {
    INFO(text);
    bool has_months = false;
    CHECK_FALSE(parse_interval(text, &has_months).has_value());
    CHECK(has_months);
  }
  bool has_months = true;
  CHECK(parse_interval("PT1M", &has_months) == kMicrosPerMinute);
  CHECK_FALSE(has_months);
}

TEST_CASE("intervals are written as PostgreSQL writes them") {
  CHECK(interval_to_text(0) == "00:00:00");
  CHECK(interval_to_text(kMicrosPerDay) == "1 day");
  CHECK(interval_to_text(kMicrosPerDay + 2 * kMicrosPerHour) == "1 day 02:00:00");
  CHECK(interval_to_text(10'500'000) == "00:00:10.5");
  CHECK(interval_to_text(-90 * kMicrosPerMinute) == "-01:30:00");
  CHECK(interval_to_text(-2 * kMicrosPerDay - 1) == "-2 days -00:00:00.000001");
  CHECK(interval_to_text(kMicrosPerDay * 400) == "400 days");
}

TEST_CASE("intervals are written in ISO 8601 for other programs") {
  CHECK(interval_to_iso(0) == "PT0S");
  CHECK(interval_to_iso(kMicrosPerDay) == "P1D");
  CHECK(interval_to_iso(kMicrosPerDay + 2 * kMicrosPerHour) == "P1DT2H");
  CHECK(interval_to_iso(10'500'000) == "PT10.5S");
  CHECK(interval_to_iso(-kMicrosPerDay - 90 * kMicrosPerMinute) == "P-1DT-1H-30M");
  CHECK(interval_to_iso(-500'000) == "PT-0.5S");
}

TEST_CASE("every interval reads back as it was written") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t us = static_cast<int64_t>(random()) >> (random() % 62);
    REQUIRE(parse_interval(interval_to_text(us)) == us);
    REQUIRE(parse_interval(interval_to_iso(us)) == us);
  }
  for (const int64_t us : {INT64_MAX, INT64_MIN, INT64_MIN + 1}) {
    REQUIRE(parse_interval(interval_to_text(us)) == us);
  }
}

}  // namespace kappa
