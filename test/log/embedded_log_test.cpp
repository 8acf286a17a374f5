#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

TEST_CASE("what is appended is read back with key, value, timestamp and headers") {
  const TempDirectory directory;
  ManualClock clock(LogTime{5'000});
  const auto log = must_open(directory.path(), {.clock = &clock});
  REQUIRE_OK(log->create_topic("t", {.partitions = 2}));

  const RecordHeaders headers = {{"source", "shop"}, {"empty", ""}};
  const std::vector<RecordToAppend> records = {
      {.key = "k", .value = "v", .timestamp = LogTime{77}, .partition = 1, .headers = &headers},
      {.key = std::nullopt, .value = "no key", .partition = 1},
      {.key = "", .value = std::nullopt, .partition = 1},
      {.key = "tombstone", .value = std::nullopt, .timestamp = LogTime{3}, .partition = 1},
  };
  const std::vector<AppendedAt> appended = must(log->append("t", records));
  REQUIRE(appended.size() == 4);
  CHECK(appended[3].partition == 1);
  CHECK(appended[3].offset == Offset{3});

  const std::vector<ReadRecord> read = read_all(*log, at("t", 1));
  REQUIRE(read.size() == 4);
  CHECK(read[0].offset == Offset{0});
  CHECK(read[0].timestamp == LogTime{77});
  CHECK(read[0].key == "k");
  CHECK(read[0].value == "v");
  CHECK(read[0].headers == headers);
  CHECK(read[1].timestamp == LogTime{5'000});
  CHECK(read[1].key == std::nullopt);
  CHECK(read[1].headers.empty());
  CHECK(read[2].key == "");
  CHECK(read[2].value == std::nullopt);
  CHECK(read[3].timestamp == LogTime{3});
  CHECK(read_all(*log, at("t", 0)).empty());
}

TEST_CASE("a log that is opened again has everything that was appended") {
  const TempDirectory directory;
  {
    const auto log = must_open(directory.path());
    REQUIRE_OK(log->create_topic("t", {.partitions = 1}));
    append_values(*log, "t", numbers(0, 10));
    CHECK(must(log->range(at("t"))).durable_end == Offset{0});
    REQUIRE_OK(log->sync());
    CHECK(must(log->range(at("t"))).durable_end == Offset{10});
    append_values(*log, "t", numbers(10, 10));
  }
  const auto log = must_open(directory.path());
  const PartitionRange range = must(log->range(at("t")));
  CHECK(range.start == Offset{0});
  CHECK(range.end == Offset{20});
  CHECK(range.durable_end == Offset{20});
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 20));
  CHECK(append_values(*log, "t", {"20"}) == Offset{20});
  CHECK(values_of(read_all(*log, at("t"), Offset{19})) == numbers(19, 2));
}

}  // namespace
}  // namespace kappa::log
