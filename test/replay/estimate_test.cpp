#include "replay/estimate.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "test/pipeline/test_product.h"

namespace kappa::replay {

using From = TimeEstimate::From;

TEST_CASE("a rate is told of what took time, and of enough records") {
  CHECK(rate_of(5000, 2) == 2500);
  CHECK(rate_of(999, 0.001) == 0);
  CHECK(rate_of(5000, 0) == 0);
}

TEST_CASE("a replay takes as long as at the last one's rate, or else at the live generation's") {
  const TimeEstimate last = estimate_time(1000, {.last_replay = 500, .live = 100});
  CHECK(last.from == From::kLastReplay);
  CHECK(last.records_per_second == 500);
  CHECK(last.seconds == 2);
  const TimeEstimate live = estimate_time(1000, {.live = 100});
  CHECK(live.from == From::kLive);
  CHECK(live.seconds == 10);
}

TEST_CASE("a budget counts where it is less than what a replay would reach") {
  const TimeEstimate bound = estimate_time(1000, {.last_replay = 500, .budget = 50});
  CHECK(bound.from == From::kBudget);
  CHECK(bound.records_per_second == 50);
  CHECK(bound.seconds == 20);
  CHECK(estimate_time(1000, {.last_replay = 500, .budget = 5000}).from == From::kLastReplay);
  CHECK(estimate_time(1000, {.budget = 50}).seconds == 20);
}

TEST_CASE("without any rate it is not known how long a replay takes") {
  const TimeEstimate unknown = estimate_time(1000, {});
  CHECK(unknown.from == From::kNothing);
  CHECK(unknown.records_per_second == 0);
  CHECK_FALSE(unknown.seconds.has_value());
}

TEST_CASE("a replay keeps on disk about what the live generation keeps, in all its folders") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path("");
  std::filesystem::create_directories(path + "/db");
  std::ofstream(path + "/MANIFEST.json") << std::string(10, 'm');
  std::ofstream(path + "/db/000007.sst") << std::string(3000, 's');
  const DiskEstimate disk = estimate_disk(path);
  CHECK(disk.bytes == 3010);
  REQUIRE(disk.free_bytes.has_value());
  CHECK(disk.fits() == (*disk.free_bytes >= 3010));
  CHECK_FALSE(DiskEstimate{3010, 3009}.fits());
  CHECK(DiskEstimate{3010, 3010}.fits());
}

TEST_CASE("of a directory that is not there, disk is not known, and nothing is said to be short") {
  const test::TemporaryDirectory directory;
  const DiskEstimate disk = estimate_disk(directory.path("gone"));
  CHECK_FALSE(disk.bytes.has_value());
  CHECK(disk.fits());
}

}  // namespace kappa::replay
