#include "replay/replay_range.h"

#include <catch2/catch.hpp>

namespace kappa::replay {
namespace {

operators::Plan reading(const std::vector<std::string>& topics) {
  operators::Plan plan;
  for (const std::string& topic : topics) {
    schemas::Source& source = plan.sources.emplace_back();
    source.name = "table_of_" + topic;
    source.topic = topic;
  }
  return plan;
}

log::PartitionRange range(int64_t start, int64_t end) {
  return {Offset{start}, Offset{end}, Offset{end}};
}

}  // namespace

TEST_CASE("a replay reads from what the log still has to where the live generation stands") {
  const std::vector<TopicRanges> log = {{"clicks", {range(0, 7)}},
                                        {"sales", {range(3, 20), range(0, 5)}}};
  const std::vector<ReplayRange> ranges =
      replay_ranges(reading({"sales", "clicks"}), {0}, log,
                    {{{"clicks", 0}, Offset{7}}, {{"sales", 0}, Offset{18}}});
  REQUIRE(ranges.size() == 2);
  CHECK(ranges[0].partition == TopicPartition{"sales", 0});
  CHECK(ranges[0].records() == 15);
  CHECK(ranges[0].missing == 3);
  // A partition that the live generation does not read yet is read to its end.
  CHECK(ranges[1].records() == 5);
  CHECK(ranges[1].missing == 0);
}

TEST_CASE("what retention has removed beyond the live place leaves nothing to read") {
  const std::vector<ReplayRange> ranges = replay_ranges(
      reading({"sales"}), {0}, {{"sales", {range(30, 40)}}}, {{{"sales", 0}, Offset{18}}});
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].records() == 0);
  CHECK(ranges[0].missing == 30);
}

TEST_CASE("a replay that begins at a time reads from there, and earlier records are not missing") {
  const std::vector<ReplayRange> ranges = replay_ranges(
      reading({"sales"}), {0}, {{"sales", {range(3, 20), range(0, 20)}, {Offset{12}, Offset{12}}}},
      {{{"sales", 0}, Offset{18}}, {{"sales", 1}, Offset{9}}});
  REQUIRE(ranges.size() == 2);
  CHECK(ranges[0].from == Offset{12});
  CHECK(ranges[0].to == Offset{18});
  CHECK(ranges[0].missing == 0);
  // The live generation has not come to that time here.
  CHECK(ranges[1].from == Offset{12});
  CHECK(ranges[1].records() == 0);
}

TEST_CASE("if all that the log still has is later than the start, what is gone may be missing") {
  // In the second one the log has gone on to remove records since it was asked for the time.
  const std::vector<ReplayRange> ranges = replay_ranges(
      reading({"sales"}), {0},
      {{"sales", {range(3, 20), range(5, 20), range(0, 20)}, {Offset{3}, Offset{4}, Offset{0}}}},
      {});
  REQUIRE(ranges.size() == 3);
  CHECK(ranges[0].from == Offset{3});
  CHECK(ranges[0].missing == 3);
  CHECK(ranges[1].from == Offset{5});
  CHECK(ranges[1].missing == 5);
  CHECK(ranges[2].from == Offset{0});
  CHECK(ranges[2].missing == 0);
}

TEST_CASE("two sources over one topic read it once, and a topic that is not there yet not at all") {
  CHECK(replay_ranges(reading({"sales", "sales"}), {0, 1}, {{"sales", {range(0, 1)}}}, {}).size() ==
        1);
  CHECK(replay_ranges(reading({"sales"}), {0}, {}, {}).empty());
}

}  // namespace kappa::replay
