#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "test/environment.h"
#include "test/runtime/property_run.h"

namespace kappa::runtime {
namespace {

using test::number_from_environment;

void report(uint64_t seed, const absl::Status& status) {
  if (status.ok()) return;
  // Beside Catch's own report, which breaks lines where they are not broken.
  std::cerr << "seed " << seed << " (KAPPA_SEEDS=1 KAPPA_SEED_FIRST=" << seed
            << " says more): " << status.message() << std::endl;
  FAIL_CHECK("seed " << seed);
}

// KAPPA_SEEDS seeds (200) from KAPPA_SEED_FIRST (1) on, one quarter of them.
void run_quarter(uint64_t quarter) {
  const uint64_t seeds = number_from_environment("KAPPA_SEEDS", 200);
  const uint64_t first = number_from_environment("KAPPA_SEED_FIRST", 1);
  for (uint64_t seed = first + quarter; seed < first + seeds; seed += 4) {
    report(seed, run_seed(seed, seeds == 1));
  }
}

}  // namespace

TEST_CASE("engine and model agree on random plans and records (1 of 4)") {
  run_quarter(0);
}
TEST_CASE("engine and model agree on random plans and records (2 of 4)") {
  run_quarter(1);
}
TEST_CASE("engine and model agree on random plans and records (3 of 4)") {
  run_quarter(2);
}
TEST_CASE("engine and model agree on random plans and records (4 of 4)") {
  run_quarter(3);
}

TEST_CASE("a live pipeline and its readers agree with the model, whatever the threads do") {
  const uint64_t seeds = (number_from_environment("KAPPA_SEEDS", 200) + 4) / 5;
  const uint64_t first = number_from_environment("KAPPA_SEED_FIRST", 1);
  for (uint64_t seed = first; seed < first + seeds; ++seed) report(seed, run_live_seed(seed));
}

}  // namespace kappa::runtime
