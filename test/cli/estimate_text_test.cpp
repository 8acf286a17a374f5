// What `kappa plan` says of time and disk.
#include "engine/cli/replay/estimate_text.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "engine/cli/amount_text.h"

namespace kappa::cli {

using replay::DiskEstimate;
using replay::TimeEstimate;
using From = replay::TimeEstimate::From;

TEST_CASE("amounts are told in the unit that makes them small") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1024 * 1024 * 3 / 2) == "1.5 MiB");
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(85000) == "85,000");
  CHECK(count_text(1234567) == "1,234,567");
  CHECK(duration_text(0) == "1 s");
  CHECK(duration_text(119) == "119 s");
  CHECK(duration_text(240) == "4 min");
  CHECK(duration_text(7200) == "2 h");
  CHECK(duration_text(864000) == "10 days");
  CHECK(roughly(85123.4) == 85000);
  CHECK(roughly(0) == 0);
}

TEST_CASE("an estimate says where its rate comes from, roughly, and a budget as it was given") {
  const DiskEstimate disk{120u << 20, uint64_t{70} << 30};
  CHECK(estimate_text({From::kLastReplay, 85123.4, 240}, disk) ==
        "It takes about 4 min at 85,000 records/s, what the last replay reached; about 120.0 MiB "
        "of disk, 70.0 GiB are free");
  CHECK(estimate_text({From::kLive, 96, 0.1}, {10, std::nullopt}) ==
        "It takes about 1 s at 96 records/s, what the live generation reaches while it is busy; "
        "about 10 B of disk");
  CHECK(estimate_text({From::kBudget, 1234.5, 30}, {}) ==
        "It takes about 30 s at 1234.5 records/s, what it may take; how much disk is not known");
  CHECK(estimate_text({}, {}) ==
        "How long it takes is not known: no replay has shown yet how fast it is, nor has the live "
        "generation; how much disk is not known");
}

TEST_CASE("the JSON of an estimate has null for what is not known") {
  CHECK(to_json({From::kLive, 1000, 2.5}, DiskEstimate{10, 20}).dump() ==
        R"({"estimated_seconds":2.5,"records_per_second":1000.0,"rate_from":"live",)"
        R"("estimated_disk_bytes":10,"disk_free_bytes":20})");
  CHECK(to_json(TimeEstimate{}, DiskEstimate{}).dump() ==
        R"({"estimated_seconds":null,"records_per_second":null,"rate_from":null,)"
        R"("estimated_disk_bytes":null,"disk_free_bytes":null})");
}

}  // namespace kappa::cli
