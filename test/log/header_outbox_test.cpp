#include "engine/log/header_outbox.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "test/log/log_fixture.h"

namespace kappa::log {

TEST_CASE("a mark tells how far publishing is and where its records end, both of one moment") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  HeaderOutbox outbox("shop", log.get());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> marks{0};
  // One topic of one partition: as many records are published as it holds.
  std::atomic<uint64_t> torn{0};
  std::thread reader([&] {
    while (!stop) {
      const OutboxMark mark = outbox.mark();
      const uint64_t ends =
          mark.ends.empty() ? 0 : static_cast<uint64_t>(mark.ends[0].second.value);
      torn += ends != mark.published_to;
      ++marks;
    }
  });
  absl::Status published;
  for (uint64_t i = 0; i < 20'000 && published.ok(); ++i) {
    OutboxRecord record;
    record.sequence = i;
    record.topic = "out";
    record.timestamp = LogTime{1};
    record.value = "x";
    const std::vector<OutboxRecord> records = {record};
    published = outbox.publish(records);
  }
  stop = true;
  reader.join();
  REQUIRE_OK(published);
  CHECK(outbox.mark().published_to == 20'000);
  CHECK(marks > 0);
  CHECK(torn == 0);
}

}  // namespace kappa::log
