#include "engine/runtime/worker_pool.h"

#include <set>

#include <catch2/catch.hpp>

namespace kappa::runtime {
namespace {

TEST_CASE("every worker does its part of every step, and run() waits for all") {
  for (uint32_t workers : {1u, 2u, 4u}) {
    WorkerPool pool(workers);
    std::vector<uint64_t> done(workers);
    for (int step = 0; step < 2000; ++step) {
      const bool together = step % 3 != 0;
      pool.run([&](uint32_t worker) { ++done[worker]; }, together);
      for (uint64_t count : done) REQUIRE(count == static_cast<uint64_t>(step) + 1);
    }
  }
}

TEST_CASE("a step that is not done together is done by the caller's thread") {
  WorkerPool pool(3);
  std::set<std::thread::id> threads;
  pool.run([&](uint32_t) { threads.insert(std::this_thread::get_id()); }, false);
  CHECK(threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

}  // namespace
}  // namespace kappa::runtime
