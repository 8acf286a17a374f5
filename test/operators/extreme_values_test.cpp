#include "operators/extreme_values.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace kappa::operators {
namespace {

using Events = std::vector<std::pair<int64_t, int64_t>>;  // time, value

std::optional<int64_t> best_of(const ExtremeValues& values, const Events& events, int64_t low_us,
                               int64_t high_us, std::optional<int64_t> best = {}) {
  for (const auto& [time_us, value] : events) {
    if (time_us < low_us || time_us > high_us) continue;
    if (!best || values.outdoes(value, *best)) best = value;
  }
  return best;
}

}  // namespace

TEST_CASE("the best value of any stretch is found, or it is said from where on to look") {
  const bool least = GENERATE(false, true);
  std::mt19937_64 random(least ? 1 : 2);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  size_t complete = 0;
  for (int round = 0; round < 200; ++round) {
    ExtremeValues values(least);
    Events events;
    const int64_t values_max = 1 + below(50);
    const int64_t disorder = below(20);
    int64_t oldest_us = -1000;
    for (int64_t now = 0; now < 150; ++now) {
      const int64_t time_us = now - below(disorder + 1);
      const int64_t value = below(values_max);
      values.enter(1, time_us, value, oldest_us);
      events.emplace_back(time_us, value);
      oldest_us = std::max(oldest_us, now - 60);
      const int64_t low_us = oldest_us + below(60);
      const int64_t high_us = low_us + below(70);
      const ExtremeValues::Found found = values.best(1, low_us, high_us);
      REQUIRE(found.open_from_us >= low_us);
      if (found.open_from_us > high_us) ++complete;
      REQUIRE(best_of(values, events, found.open_from_us, high_us, found.best) ==
              best_of(values, events, low_us, high_us));
    }
    // Up to the latest event nothing is open.
    REQUIRE(values.best(1, oldest_us, 1000).open_from_us > 1000);
    REQUIRE(values.best(0, 0, 1000).best == std::nullopt);
    values.erase(1);
    REQUIRE(values.best(1, 0, 1000).best == std::nullopt);
  }
  REQUIRE(complete > 10'000);
}

}  // namespace kappa::operators
