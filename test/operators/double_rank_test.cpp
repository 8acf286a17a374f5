#include "operators/double_rank.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace kappa::operators {

TEST_CASE("ranks of doubles ascend as PostgreSQL orders them, NaN last") {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> ascending = {
      -Limits::infinity(),  Limits::lowest(),      -1.5,
      -Limits::min(),       -Limits::denorm_min(), 0.0,
      Limits::denorm_min(), Limits::min(),         1.5,
      Limits::max(),        Limits::infinity(),    Limits::quiet_NaN()};
  for (size_t i = 1; i < ascending.size(); ++i) {
    CHECK(rank_of(ascending[i - 1]) < rank_of(ascending[i]));
  }
}

TEST_CASE("equal doubles have one rank: -0.0 and 0.0, and every NaN") {
  CHECK(rank_of(-0.0) == rank_of(0.0));
  CHECK_FALSE(std::signbit(value_of_rank(rank_of(-0.0))));
  CHECK(rank_of(-std::numeric_limits<double>::quiet_NaN()) ==
        rank_of(std::numeric_limits<double>::signaling_NaN()));
  CHECK(std::isnan(value_of_rank(rank_of(std::nan("1")))));
}

TEST_CASE("a double is the value of its rank, and ranks order any two") {
  std::mt19937_64 random(7);
  double before = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    REQUIRE(value_of_rank(rank_of(value)) == value);
    REQUIRE((rank_of(before) < rank_of(value)) == (before < value));
    before = value;
  }
}

}  // namespace kappa::operators
