#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "engine/types/decimal.h"

namespace kappa {
namespace {

const std::string kNines(38, '9');

}  // namespace

TEST_CASE("decimals are read exactly to the scale asked for") {
  CHECK(parse_decimal("-12.50", 2) == -1250);
  CHECK(parse_decimal("12.5", 2) == 1250);
  CHECK(parse_decimal("12", 2) == 1200);
  CHECK(parse_decimal("+12", 0) == 12);
  CHECK(parse_decimal(".5", 1) == 5);
  CHECK(parse_decimal("5.", 1) == 50);
  CHECK(parse_decimal("0", 5) == 0);
  CHECK(parse_decimal("-0", 5) == 0);
  CHECK(parse_decimal("1.5e3", 0) == 1500);
  CHECK(parse_decimal("1.5E-3", 4) == 15);
  CHECK(parse_decimal("1e+2", 1) == 1000);
  CHECK(parse_decimal("0e999999999999", 2) == 0);
  CHECK(parse_decimal("1e-999999999999", 2) == 0);
  CHECK(parse_decimal(std::string(100, '0') + "7", 0) == 7);
}

TEST_CASE("digits beyond the scale round half up, away from zero") {
  CHECK(parse_decimal("0.125", 2) == 13);
  CHECK(parse_decimal("-0.125", 2) == -13);
  CHECK(parse_decimal("0.1249999999999999999999999999999999999999999999", 2) == 12);
  CHECK(parse_decimal("0.005", 2) == 1);
  CHECK(parse_decimal("0.0049", 2) == 0);
  CHECK(parse_decimal("9.999", 2) == 1000);
  CHECK(parse_decimal("0.5", 0) == 1);
  CHECK(parse_decimal("0.05", 0) == 0);
  CHECK(parse_decimal("5e-3", 2) == 1);
}

TEST_CASE("an exact reading refuses to lose a digit, zeros apart") {
  CHECK(parse_decimal_exactly("12.50", 2) == 1250);
  CHECK(parse_decimal_exactly("12.5000", 2) == 1250);
  CHECK(parse_decimal_exactly("1.5e1", 0) == 15);
  CHECK(parse_decimal_exactly("1500e-2", 0) == 15);
  CHECK(parse_decimal_exactly("0.000", 0) == 0);
  CHECK(parse_decimal_exactly("0e-99", 0) == 0);
  CHECK_FALSE(parse_decimal_exactly("12.501", 2).has_value());
  CHECK_FALSE(parse_decimal_exactly("15e-1", 0).has_value());
  CHECK_FALSE(parse_decimal_exactly("1e-99", 2).has_value());
  CHECK_FALSE(parse_decimal_exactly("1e38", 0).has_value());
  CHECK_FALSE(parse_decimal_exactly("x", 0).has_value());
}

TEST_CASE("decimals hold 38 digits and no more") {
  const int128 largest = power_of_ten(38) - 1;
  CHECK(parse_decimal(kNines, 0) == largest);
  CHECK(parse_decimal("-" + kNines, 0) == -largest);
  CHECK(parse_decimal(kNines + ".4", 0) == largest);
  CHECK_FALSE(parse_decimal(kNines + ".5", 0).has_value());
  CHECK_FALSE(parse_decimal("1" + std::string(38, '0'), 0).has_value());
  CHECK_FALSE(parse_decimal("1e38", 0).has_value());
  CHECK_FALSE(parse_decimal("1e999999999999", 0).has_value());
  CHECK(parse_decimal("1e37", 0) == power_of_ten(37));
  CHECK_FALSE(parse_decimal("1e37", 1).has_value());
}

TEST_CASE("what is not a decimal is refused") {
  for (const char* text : {"", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e+-5", "1e5x", "1.2.3",
                           "12a", " 1", "1 ", "0x10", "NaN", "--1", "+-1", "1e 5"}) {
    INFO(text);
    CHECK_FALSE(parse_decimal(text, 2).has_value());
    CHECK_FALSE(is_decimal(text));
  }
  CHECK(is_decimal("1e999"));
}

TEST_CASE("rescaling multiplies exactly and divides half up") {
  CHECK(rescale(125, 2, 1) == 13);
  CHECK(rescale(-125, 2, 1) == -13);
  CHECK(rescale(124, 2, 1) == 12);
  CHECK(rescale(149, 2, 0) == 1);
  CHECK(rescale(150, 2, 0) == 2);
  CHECK(rescale(1, 0, 37) == power_of_ten(37));
  CHECK_FALSE(rescale(1, 0, 38).has_value());
  CHECK_FALSE(rescale(10, 0, 37).has_value());
  CHECK_FALSE(rescale(1, 0, 60).has_value());
  CHECK(rescale(0, 0, 60) == 0);
  CHECK(rescale(power_of_ten(38) - 1, 60, 0) == 0);
  CHECK(rescale(power_of_ten(37) * 5, 38, 0) == 1);
  CHECK(rescale(power_of_ten(37) * 5 - 1, 38, 0) == 0);
  CHECK(rescale(7, 3, 3) == 7);
  CHECK_FALSE(rescale(power_of_ten(38), 0, 0).has_value());
}

TEST_CASE("precision counts the digits of the scaled value") {
  CHECK(fits_precision(999, 3));
  CHECK(fits_precision(-999, 3));
  CHECK_FALSE(fits_precision(1000, 3));
  CHECK_FALSE(fits_precision(-1000, 3));
  CHECK(fits_precision(0, 1));
}

TEST_CASE("decimals are written with all digits of their scale") {
  CHECK(decimal_to_text(1250, 2) == "12.50");
  CHECK(decimal_to_text(-1250, 2) == "-12.50");
  CHECK(decimal_to_text(5, 2) == "0.05");
  CHECK(decimal_to_text(-5, 2) == "-0.05");
  CHECK(decimal_to_text(0, 2) == "0.00");
  CHECK(decimal_to_text(0, 0) == "0");
  CHECK(decimal_to_text(1200, 0) == "1200");
  CHECK(decimal_to_text(-(power_of_ten(38) - 1), 38) == "-0." + kNines);
  CHECK(decimal_to_text(power_of_ten(38) - 1, 0) == kNines);
}

TEST_CASE("every decimal reads back as it was written") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const int scale = static_cast<int>(random() % 39);
    int128 value = (int128{static_cast<int64_t>(random())} << 64) | random();
    value >>= random() % 126;
    value %= power_of_ten(38);
    REQUIRE(parse_decimal(decimal_to_text(value, scale), scale) == value);
  }
}

}  // namespace kappa
