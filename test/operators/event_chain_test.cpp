#include "operators/event_chain.h"

#include <algorithm>
#include <cstdint>
#include <new>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace kappa::operators {
namespace {

// The events of some partitions in one log, linked as RunningFrames links them.
class Chains {
 public:
  explicit Chains(size_t partitions) : last_(partitions, 0), time_max_(partitions, INT64_MIN) {}

  uint64_t append(size_t partition, int64_t time_us) {
    std::byte* const record = log.append(time_us);
    const bool linked = last_[partition] > log.begin();
    time_max_[partition] = linked ? std::max(time_max_[partition], time_us) : time_us;
    auto& event = *new (record) EventHeader{
        .time_us = time_us,
        .time_max_us = time_max_[partition],
        .previous = last_[partition],
        .number = 0,
        .partition = static_cast<state::RowId>(partition),
        .seen = 0,
        .out_of_order = 0,
    };
    chain.link(event);
    return last_[partition] = log.end();
  }
  uint64_t last(size_t partition) const { return last_[partition]; }

  state::EventLog log{{1, 0}, sizeof(EventHeader) + sizeof(EventChain::Span)};
  EventChain chain{sizeof(EventHeader), log};

 private:
  std::vector<uint64_t> last_;
  std::vector<int64_t> time_max_;
};

struct Event {
  int64_t time_us;
  uint64_t number;  // 1 + its number
  bool operator<(const Event& other) const {
    return std::pair(time_us, number) < std::pair(other.time_us, other.number);
  }
};

// Those with a time in [low, high], in order.
std::vector<Event> between(std::vector<Event> events, int64_t low_us, int64_t high_us) {
  std::erase_if(events, [&](const Event& e) { return e.time_us < low_us || e.time_us > high_us; });
  std::sort(events.begin(), events.end());
  return events;
}

}  // namespace

TEST_CASE("single events are found in a chain as by looking at all of them, in whatever order") {
  const int64_t disorder = GENERATE(1, 3, 20, 200);
  INFO("disorder " << disorder);
  std::mt19937_64 random(static_cast<uint64_t>(disorder));
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  Chains chains(3);
  std::vector<std::vector<Event>> all(3);
  for (int64_t now = 0; now < 1500; now += below(3)) {
    const auto partition = static_cast<size_t>(below(3));
    const int64_t time_us = now - below(disorder);
    all[partition].push_back({time_us, chains.append(partition, time_us)});
    const uint64_t from = chains.last(partition);
    const int64_t low_us = now - below(300);
    const int64_t high_us = low_us + below(320);
    uint64_t steps = 0;
    const auto later = between(all[partition], low_us, INT64_MAX);
    REQUIRE(chains.chain.first(from, low_us, &steps) == (later.empty() ? 0 : later[0].number));
    const auto stretch = between(all[partition], low_us, high_us);
    REQUIRE(chains.chain.last(from, low_us, high_us, &steps) ==
            (stretch.empty() ? 0 : stretch.back().number));
    const auto distance = static_cast<size_t>(1 + below(5));
    REQUIRE(chains.chain.before(from, distance, low_us, high_us, &steps) ==
            (stretch.size() < distance ? 0 : stretch[stretch.size() - distance].number));
  }
}

TEST_CASE("going back over a hundred thousand events takes some dozen steps") {
  Chains chains(1);
  constexpr int64_t kEvents = 100'000;
  for (int64_t n = 0; n < kEvents; ++n) chains.append(0, n);
  for (const int64_t at : {int64_t{0}, int64_t{1}, kEvents / 3, kEvents - 2}) {
    uint64_t steps = 0;
    CHECK(chains.chain.first(kEvents, at, &steps) == static_cast<uint64_t>(at) + 1);
    CHECK(chains.chain.last(kEvents, 0, at, &steps) == static_cast<uint64_t>(at) + 1);
    CHECK(steps < 100);
  }
  uint64_t steps = 0;
  chains.chain.before(kEvents, 7, 0, kEvents, &steps);
  CHECK(steps == 7);
}

TEST_CASE("a late event in a long chain does not make it a slow one") {
  Chains chains(1);
  constexpr int64_t kEvents = 50'000;
  for (int64_t n = 0; n < kEvents; ++n) {
    chains.append(0, n);
    if (n % 1000 == 999) chains.append(0, n - 900);
  }
  uint64_t steps = 0;
  // The first from 20,500 on: the event of 20,999 - 900 that came late lies before.
  const uint64_t found = chains.chain.first(chains.last(0), 20'500, &steps);
  CHECK(reinterpret_cast<const EventHeader*>(chains.log.record(found - 1))->time_us == 20'500);
  CHECK(steps < 200);
}

TEST_CASE("what the log has forgotten is not found, and not looked at") {
  Chains chains(2);
  const auto segment = static_cast<int64_t>(state::EventLog::kSegmentRecords);
  chains.append(1, 5);
  for (int64_t n = 0; n < 3 * segment; ++n) chains.append(0, n);
  chains.log.forget_before(2 * segment);
  REQUIRE(chains.log.begin() > 0);
  uint64_t steps = 0;
  CHECK(chains.chain.first(chains.last(1), 0, &steps) == 0);
  CHECK(chains.chain.last(chains.last(1), 0, 10, &steps) == 0);
  CHECK(chains.chain.before(chains.last(1), 1, 0, 10, &steps) == 0);
  CHECK(steps == 0);
  // The partition begins anew.
  const uint64_t again = chains.append(1, 3 * segment);
  CHECK(chains.chain.first(again, 0, &steps) == again);
  CHECK(chains.chain.first(chains.last(0), 2 * segment + 1, &steps) ==
        static_cast<uint64_t>(2 * segment) + 3);
}

}  // namespace kappa::operators
