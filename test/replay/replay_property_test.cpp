#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "test/environment.h"
#include "test/replay/random_replay.h"

namespace kappa::replay {

// KAPPA_SEEDS seeds (40) from KAPPA_SEED_FIRST (1) on.
TEST_CASE("a replay of the same logic is equal, whatever it and the live generation go through") {
  const uint64_t seeds = test::number_from_environment("KAPPA_SEEDS", 40);
  const uint64_t first = test::number_from_environment("KAPPA_SEED_FIRST", 1);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const absl::Status status = run_replay_seed(seed);
    if (status.ok()) continue;
    // Beside Catch's own report, which breaks lines where they are not broken.
    std::cerr << "seed " << seed << " (KAPPA_SEEDS=1 KAPPA_SEED_FIRST=" << seed
              << "): " << status.ToString() << std::endl;
    FAIL_CHECK("seed " << seed);
  }
}

}  // namespace kappa::replay
