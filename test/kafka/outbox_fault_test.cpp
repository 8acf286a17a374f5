#include <chrono>
#include <thread>

#include <catch2/catch.hpp>

#include "test/kafka/broker.h"
#include "test/kafka/victim.h"

namespace kappa::test {
namespace {

using std::chrono::milliseconds;

TEST_CASE("the broker killed and started again in mid-run: once is once") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  const Victim victim(broker.bootstrap());
  const auto process = victim.start();
  for (int i = 0; i < 2; ++i) {
    std::this_thread::sleep_for(milliseconds(700));
    broker.kill();
    std::this_thread::sleep_for(milliseconds(300));
    broker.start();
  }
  victim.check_end_of(*process);
}

TEST_CASE("the broker paused for longer than a transaction lasts: once is once") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  const Victim victim(broker.bootstrap());
  const auto process = victim.start();
  std::this_thread::sleep_for(milliseconds(700));
  broker.pause();
  std::this_thread::sleep_for(milliseconds(13'000));
  broker.resume();
  victim.check_end_of(*process);
}

TEST_CASE("both killed in mid-run: once is once") {
  KAPPA_NEED_KAFKA();
  Broker broker;
  const Victim victim(broker.bootstrap());
  for (int i = 0; i < 2; ++i) {
    const auto process = victim.start();
    std::this_thread::sleep_for(milliseconds(900));
    broker.kill();
    process->kill();
    broker.start();
  }
  victim.finish_and_check();
}

}  // namespace
}  // namespace kappa::test
