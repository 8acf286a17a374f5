#include "engine/runtime/worker_pool.h"

#include <set>

#include <catch2/catch.hpp>
#include <sched.h>

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

void may_run_on(const cpu_set_t& cores) {
  REQUIRE(::sched_setaffinity(0, sizeof(cores), &cores) == 0);
}

TEST_CASE("a worker that begins a step on the core of another one moves to a core that is free") {
  cpu_set_t all;
  REQUIRE(::sched_getaffinity(0, sizeof(all), &all) == 0);
  if (CPU_COUNT(&all) < 2) {
    WARN("this process has one core");
    return;
  }
  WorkerPool pool(2);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  may_run_on(one);  // the caller, from now on
  int apart = 0;
  constexpr int kSteps = 20;
  for (int step = 0; step < kSteps; ++step) {
    pool.run(
        [&](uint32_t worker) {
          if (worker == 0) return;
          if (!CPU_ISSET(::sched_getcpu(), &one)) ++apart;
          cpu_set_t mine;
          ::sched_getaffinity(0, sizeof(mine), &mine);
          if (!CPU_EQUAL(&mine, &all)) apart = -kSteps;  // it may go everywhere, as before
          ::sched_setaffinity(0, sizeof(one), &one);     // to the caller's core, and free to leave
          ::sched_setaffinity(0, sizeof(all), &all);
        },
        true);
  }
  may_run_on(all);
  CHECK(apart >= kSteps - 2);  // the kernel may have had a mind of its own in between
}

}  // namespace
}  // namespace kappa::runtime
