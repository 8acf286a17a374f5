#include "engine/cli/playground/schedule.h"

#include <catch2/catch.hpp>

#include "test/cli/scratch.h"

namespace kappa::cli::playground {
namespace {

constexpr int64_t kNoLimit = int64_t{1} << 60;

int64_t total(const ByPartition& offsets) {
  int64_t sum = 0;
  for (const Topic topic : {kSales, kClicks}) {
    for (const int64_t offset : offsets[topic]) sum += offset;
  }
  return sum;
}

}  // namespace

TEST_CASE("records fall due at the rate of the run, dealt out evenly") {
  const Scratch scratch;
  auto schedule = Schedule::open(scratch.path("s.json"), 1);
  REQUIRE(schedule.ok());
  REQUIRE(schedule->begin_run(EventTime{0}, 1000, ByPartition{}).ok());
  CHECK(total(schedule->due(EventTime{0}, kNoLimit)) == 1);
  CHECK(total(schedule->due(EventTime{999'999}, kNoLimit)) == 1000);
  const ByPartition due = schedule->due(EventTime{7'999'999}, kNoLimit);
  for (const Topic topic : kTopics) {
    for (const int64_t offset : due[topic]) CHECK(offset == (is_shopping(topic) ? 1000 : 50));
  }
  CHECK(total(schedule->due(EventTime{7'999'999}, 11)) == 11);
  CHECK(total(schedule->due(EventTime{-1}, kNoLimit)) == 0);
}

TEST_CASE("a record arrives when it falls due") {
  const Scratch scratch;
  auto schedule = Schedule::open(scratch.path("s.json"), 1);
  REQUIRE(schedule->begin_run(EventTime{5'000'000}, 2000, ByPartition{}).ok());
  for (int64_t offset = 0; offset < 50; ++offset) {
    const EventTime arrival = schedule->arrival(kClicks, 3, offset);
    CHECK(schedule->due(arrival, kNoLimit)[kClicks][3] == offset + 1);
    CHECK(schedule->due(EventTime{arrival.us - 1}, kNoLimit)[kClicks][3] == offset);
    const EventTime reading = schedule->arrival(kSensors, 2, offset);
    CHECK(schedule->due(reading, kNoLimit)[kSensors][2] == offset + 1);
    CHECK(schedule->due(EventTime{reading.us - 1}, kNoLimit)[kSensors][2] == offset);
  }
}

TEST_CASE("a schedule that is opened again tells the same of every record") {
  const Scratch scratch;
  auto first = Schedule::open(scratch.path("s.json"), 7);
  REQUIRE(first->begin_run(EventTime{0}, 1000, ByPartition{}).ok());
  ByPartition from{};
  from[kSales][0] = 10;
  REQUIRE(first->begin_run(EventTime{60'000'000}, 50, from).ok());
  const auto second = Schedule::open(scratch.path("s.json"), 7);
  REQUIRE(second.ok());
  for (int64_t offset = 0; offset < 20; ++offset) {
    CHECK(first->arrival(kSales, 0, offset) == second->arrival(kSales, 0, offset));
  }
  CHECK(second->arrival(kSales, 0, 9).us < 60'000'000);
  CHECK(second->arrival(kSales, 0, 10).us == 60'000'000);
}

TEST_CASE("a schedule that knew only sales and clicks goes on with all topics") {
  const Scratch scratch;
  const std::string path = scratch.file(
      "s.json", R"({"seed": 1, "runs": [{"start_us": 0, "rate": 8, "from": [0,0,0,0,0,0,0,0]}]})");
  auto schedule = Schedule::open(path, 1);
  REQUIRE(schedule.ok());
  ByPartition from{};
  from[kSales][0] = 5;
  REQUIRE(schedule->begin_run(EventTime{60'000'000}, 8, from).ok());
  CHECK(schedule->arrival(kSales, 0, 4).us == 4'000'000);
  CHECK(schedule->arrival(kStock, 0, 0).us > 60'000'000);
}

TEST_CASE("another seed than the directory's is refused") {
  const Scratch scratch;
  auto schedule = Schedule::open(scratch.path("s.json"), 7);
  REQUIRE(schedule->begin_run(EventTime{0}, 1000, ByPartition{}).ok());
  const auto other = Schedule::open(scratch.path("s.json"), 8);
  REQUIRE_FALSE(other.ok());
  CHECK(std::string(other.status().message()).find("--seed 7") != std::string::npos);
}

TEST_CASE("a damaged schedule is refused") {
  const Scratch scratch;
  for (const char* text :
       {"", "{}", "[1]", "{\"seed\": 1, \"runs\": [{}]}",
        "{\"seed\": 1, \"runs\": [{\"start_us\": 1, \"rate\": 0, \"from\": []}]}"}) {
    const auto schedule = Schedule::open(scratch.file("s.json", text), 1);
    CHECK(absl::IsDataLoss(schedule.status()));
  }
}

}  // namespace kappa::cli::playground
