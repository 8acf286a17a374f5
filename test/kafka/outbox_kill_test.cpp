#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "test/kafka/broker.h"
#include "test/kafka/victim.h"

namespace kappa::test {
namespace {

int kills() {
  int wanted = 0;
  const char* text = std::getenv("KAPPA_KILLS");
  return text && absl::SimpleAtoi(text, &wanted) ? wanted : 8;
}

TEST_CASE("killed at a failpoint: once is once") {
  KAPPA_NEED_KAFKA();
  const char* failpoint =
      GENERATE("checkpoint.before_write", "checkpoint.written", "outbox.before_begin",
               "outbox.produced", "outbox.before_commit", "outbox.committed", "outbox.published");
  INFO(failpoint);
  const Victim victim(shared_broker());
  for (const int times : {1, 2, 4}) {
    const auto child = victim.start(absl::StrCat(failpoint, ":", times));
    CHECK(child->read_line("published ").empty());
    CHECK(child->wait() == -1);  // by a signal
  }
  victim.finish_and_check();
}

TEST_CASE("killed at any moment: once is once") {
  KAPPA_NEED_KAFKA();
  const auto seed =
      static_cast<unsigned>(std::chrono::steady_clock::now().time_since_epoch().count());
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const Victim victim(shared_broker());
  for (int i = 0; i < kills(); ++i) {
    const auto child = victim.start();
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 700));
    child->kill();
  }
  victim.finish_and_check();
}

}  // namespace
}  // namespace kappa::test
