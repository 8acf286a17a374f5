#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

constexpr EmbeddedLogOptions kSmallSegments{.fsync = Fsync::kNever, .segment_bytes = 1024};

EmbeddedLogOptions with_clock(const Clock& clock) {
  EmbeddedLogOptions options = kSmallSegments;
  options.clock = &clock;
  options.retention_check_ms = 0;
  return options;
}

int64_t segment_files(const std::string& directory) {
  int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/t/0")) {
    count += entry.path().extension() == ".log" ? 1 : 0;
  }
  return count;
}

TEST_CASE("segments whose records are all too old are removed") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  const auto log = must_open(directory.path(), with_clock(clock));
  REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
  for (int64_t i = 0; i < 200; ++i) {
    clock.set(LogTime{i * 10});
    append_values(*log, "t", {std::to_string(i)});
  }
  REQUIRE_OK(log->enforce_retention());
  const PartitionRange range = must(log->range(at("t")));
  // The record at 1990 - 1000 is just not too old; its segment may hold older ones.
  CHECK(range.start > Offset{70});
  CHECK(range.start <= Offset{99});
  CHECK(range.end == Offset{200});
  CHECK(values_of(read_all(*log, at("t"), range.start)) ==
        numbers(range.start.value, 200 - range.start.value));
  CHECK(std::filesystem::exists(directory.path() + "/t/0/00000000000000000000.log") == false);
  CHECK(std::filesystem::exists(directory.path() + "/t/0/00000000000000000000.index") == false);
}

TEST_CASE("the greatest timestamp of a segment decides, as in Kafka") {
  const TempDirectory directory;
  ManualClock clock(LogTime{100'000});
  const auto log = must_open(directory.path(), with_clock(clock));
  REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
  append_values(*log, "t", numbers(0, 5), 0, LogTime{5});
  append_values(*log, "t", {"young"}, 0, LogTime{99'500});
  const std::string filler(2000, 'f');
  append_values(*log, "t", {filler}, 0, LogTime{99'000});
  REQUIRE_OK(log->enforce_retention());
  CHECK(must(log->range(at("t"))).start == Offset{0});
  clock.set(LogTime{100'501});
  REQUIRE_OK(log->enforce_retention());
  CHECK(must(log->range(at("t"))).start > Offset{0});
}

TEST_CASE("when all records are too old the log is empty and goes on at its end") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  {
    const auto log = must_open(directory.path(), with_clock(clock));
    REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
    append_values(*log, "t", numbers(0, 7));
    clock.set(LogTime{1000});
    REQUIRE_OK(log->enforce_retention());
    CHECK(must(log->range(at("t"))).start == Offset{0});
    clock.set(LogTime{1001});
    REQUIRE_OK(log->enforce_retention());
    const PartitionRange range = must(log->range(at("t")));
    CHECK(range.start == Offset{7});
    CHECK(range.durable_end == Offset{7});
    CHECK(range.end == Offset{7});
    CHECK(segment_files(directory.path()) == 1);
    CHECK(must(log->offset_for_time(at("t"), LogTime{0})) == Offset{7});
    CHECK(read_all(*log, at("t"), Offset{7}).empty());
  }
  const auto log = must_open(directory.path(), with_clock(clock));
  CHECK(must(log->range(at("t"))).start == Offset{7});
  CHECK(append_values(*log, "t", {"7"}) == Offset{7});
  CHECK(values_of(read_all(*log, at("t"), Offset{7})) == numbers(7, 1));
}

TEST_CASE("a trickle of records does not keep old ones for ever") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  EmbeddedLogOptions options = with_clock(clock);
  options.segment_bytes = 1 << 20;  // never full
  const auto log = must_open(directory.path(), options);
  REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
  for (int64_t i = 0; i < 100; ++i) {
    clock.set(LogTime{i * 100});
    append_values(*log, "t", {std::to_string(i)});
    REQUIRE_OK(log->enforce_retention());
    CHECK(must(log->range(at("t"))).start.value >= i - 25);
    CHECK(segment_files(directory.path()) <= 4);
  }
}

TEST_CASE("the oldest segments go while what remains has the size to keep") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), kSmallSegments);
  REQUIRE_OK(log->create_topic("t", {.retention_bytes = 5000}));
  const std::string filler(180, 'f');
  for (int i = 0; i < 100; ++i) append_values(*log, "t", {filler});
  REQUIRE_OK(log->enforce_retention());
  const PartitionRange range = must(log->range(at("t")));
  CHECK(range.start > Offset{0});
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path() + "/t/0")) {
    if (entry.path().extension() == ".log") bytes += static_cast<int64_t>(entry.file_size());
  }
  CHECK(bytes >= 5000);
  CHECK(bytes < 5000 + 1024 + 300);
  CHECK(read_all(*log, at("t"), range.start).size() ==
        static_cast<size_t>(range.end.value - range.start.value));
}

TEST_CASE("reading what retention has removed is an error that says where the log starts") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  const auto log = must_open(directory.path(), with_clock(clock));
  REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
  for (int i = 0; i < 100; ++i) append_values(*log, "t", {"old"});
  const auto reader = must(log->open_reader(at("t"), Offset{5}));
  const RecordBlock held = must(reader->read(1));
  REQUIRE(held.records.size() >= 1);
  clock.set(LogTime{5000});
  append_values(*log, "t", {std::string(2000, 'y')});
  REQUIRE_OK(log->enforce_retention());
  const int64_t start = must(log->range(at("t"))).start.value;
  CHECK(start == 100);
  CHECK(held.records[0].value_view() == "old");
  absl::Status status = reader->read(1 << 16).status();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK(status.message() == "topic t partition 0: offset " +
                                std::to_string(held.next_offset.value) +
                                " was removed by retention, the log starts at 100");
  status = try_read_all(*log, at("t"), Offset{5}).status();
  CHECK(status.message() ==
        "topic t partition 0: offset 5 was removed by retention, the log starts at 100");
  reader->seek(Offset{100});
  CHECK(must(reader->read(1 << 16)).records.size() == 1);
}

TEST_CASE("an owner enforces retention by itself") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  EmbeddedLogOptions options = with_clock(clock);
  options.retention_check_ms = 1;
  const auto log = must_open(directory.path(), options);
  REQUIRE_OK(log->create_topic("forever", {}));
  REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
  append_values(*log, "t", {"old"});
  append_values(*log, "forever", {"kept"});
  clock.set(LogTime{10'000});
  for (int i = 0; i < 5000 && must(log->range(at("t"))).start == Offset{0}; ++i) ::usleep(1000);
  CHECK(must(log->range(at("t"))).start == Offset{1});
  CHECK(must(log->range(at("forever"))).start == Offset{0});
}

TEST_CASE("retention removes records that were never synced, and the log still opens") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  EmbeddedLogOptions options = with_clock(clock);
  options.fsync = Fsync::kOnSync;
  {
    const auto log = must_open(directory.path(), options);
    REQUIRE_OK(log->create_topic("t", {.retention_ms = 1000}));
    append_values(*log, "t", {"synced"});
    REQUIRE_OK(log->sync());
    for (int i = 0; i < 100; ++i) append_values(*log, "t", {"unsynced"});
    clock.set(LogTime{5000});
    REQUIRE_OK(log->enforce_retention());
    const PartitionRange range = must(log->range(at("t")));
    CHECK(range.start == Offset{101});
    CHECK(range.durable_end == Offset{101});
    REQUIRE_OK(log->sync());
  }
  const auto log = must_open(directory.path(), options);
  CHECK(must(log->range(at("t"))).start == Offset{101});
  CHECK(must(log->range(at("t"))).end == Offset{101});
}

}  // namespace
}  // namespace kappa::log
