#include <atomic>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>

#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

using Catch::Matchers::Contains;

constexpr EmbeddedLogOptions kReader{.mode = EmbeddedLogOptions::Mode::kReader};
constexpr EmbeddedLogOptions kOwner{.fsync = Fsync::kNever, .segment_bytes = 2048};

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void spill(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

TEST_CASE("a reader sees what the owner appends, in any segment and any topic") {
  const TempDirectory directory;
  const auto owner = must_open(directory.path(), kOwner);
  const auto reader = must_open(directory.path(), kReader);
  CHECK(must(reader->topics()).empty());
  REQUIRE_OK(owner->create_topic("t", {.partitions = 2}));
  CHECK(must(reader->topic("t")).config.partitions == 2);
  CHECK(must(reader->range(at("t", 1))).end == Offset{0});
  const auto follow = must(reader->open_reader(at("t", 1), Offset{0}));
  CHECK(must(follow->read(1 << 16)).empty());
  int64_t next = 0;
  for (int64_t i = 0; i < 300; ++i) {
    append_values(*owner, "t", numbers(i * 3, 3), 1);
    if (i % 5 != 0) continue;
    CHECK(must(reader->range(at("t", 1))).end == Offset{i * 3 + 3});
    for (RecordBlock block = must(follow->read(1000)); !block.empty();
         block = must(follow->read(1000))) {
      for (const RecordView& record : block.records) {
        REQUIRE(record.offset == Offset{next});
        REQUIRE(record.value_view() == std::to_string(next));
        ++next;
      }
    }
    REQUIRE(next == i * 3 + 3);
  }
  CHECK(values_of(read_all(*reader, at("t", 1), Offset{450})) == numbers(450, 450));
  CHECK(must(reader->offset_for_time(at("t", 1), LogTime{0})) == Offset{0});
  // One that comes late finds the same.
  const auto late = must_open(directory.path(), kReader);
  CHECK(values_of(read_all(*late, at("t", 1))) == numbers(0, 900));
  CHECK(must(late->topics()).size() == 1);
}

TEST_CASE("a reader sees whole batches only, however many bytes are there yet") {
  const TempDirectory directory;
  std::vector<size_t> sizes;
  std::string whole;
  const std::string segment = directory.path() + "/t/0/00000000000000000000.log";
  {
    const auto owner = must_open(directory.path(), {.fsync = Fsync::kNever});
    REQUIRE_OK(owner->create_topic("t", {}));
    for (int64_t i = 0; i < 3; ++i) {
      append_values(*owner, "t", numbers(i * 3, 3));
      sizes.push_back(std::filesystem::file_size(segment));
    }
    whole = slurp(segment);
  }
  spill(segment, "");
  const auto reader = must_open(directory.path(), kReader);
  const auto follow = must(reader->open_reader(at("t"), Offset{0}));
  int64_t next = 0;
  for (size_t size = 1; size <= whole.size(); ++size) {
    // Bytes to come may be there as zeros already.
    std::string present = whole.substr(0, size);
    if (size % 2 == 0) present.resize(whole.size(), '\0');
    std::fstream(segment, std::ios::binary | std::ios::in | std::ios::out) << present;
    if (size % 2 != 0) std::filesystem::resize_file(segment, std::max(size, sizes[0]));
    if (size < sizes[0]) continue;
    const auto alike = static_cast<size_t>(
        std::mismatch(present.begin(), present.end(), whole.begin()).first - present.begin());
    const auto good =
        static_cast<int64_t>(std::upper_bound(sizes.begin(), sizes.end(), alike) - sizes.begin());
    REQUIRE(must(reader->range(at("t"))).end == Offset{3 * good});
    for (const RecordView& record : must(follow->read(1 << 16)).records) {
      REQUIRE(record.value_view() == std::to_string(next++));
    }
    REQUIRE(next == 3 * good);
  }
  CHECK(next == 9);
}

TEST_CASE("a reader reports damage with good records behind it") {
  const TempDirectory directory;
  const std::string segment = directory.path() + "/t/0/00000000000000000000.log";
  {
    const auto owner = must_open(directory.path(), {.fsync = Fsync::kNever});
    REQUIRE_OK(owner->create_topic("t", {}));
    for (int64_t i = 0; i < 3; ++i) append_values(*owner, "t", numbers(i * 3, 3));
  }
  std::string content = slurp(segment);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
  spill(segment, content);
  const auto reader = must_open(directory.path(), kReader);
  const absl::Status status = reader->range(at("t")).status();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK_THAT(std::string(status.message()),
             Contains("topic t partition 0: damaged at offset 3") && Contains(segment));
}

TEST_CASE("a reader that records are taken back from is told") {
  const TempDirectory directory;
  const std::string segment = directory.path() + "/t/0/00000000000000000000.log";
  const auto owner = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(owner->create_topic("t", {}));
  append_values(*owner, "t", numbers(0, 3));
  const auto reader = must_open(directory.path(), kReader);
  CHECK(must(reader->range(at("t"))).end == Offset{3});
  std::filesystem::resize_file(segment, 10);
  CHECK_THAT(std::string(reader->range(at("t")).status().message()),
             Contains("its owner has taken records back"));
}

TEST_CASE("a reader follows retention and says what is gone") {
  const TempDirectory directory;
  ManualClock clock(LogTime{0});
  EmbeddedLogOptions options = kOwner;
  options.clock = &clock;
  const auto owner = must_open(directory.path(), options);
  REQUIRE_OK(owner->create_topic("t", {.retention_ms = 1000}));
  for (int64_t i = 0; i < 200; ++i) append_values(*owner, "t", {std::to_string(i)});
  const auto reader = must_open(directory.path(), kReader);
  const auto follow = must(reader->open_reader(at("t"), Offset{0}));
  const auto far_behind = must(reader->open_reader(at("t"), Offset{3}));
  CHECK(must(follow->read(1)).records.size() >= 1);
  clock.set(LogTime{5000});
  append_values(*owner, "t", {"200"});
  REQUIRE_OK(owner->enforce_retention());
  const Offset start = must(owner->range(at("t"))).start;
  REQUIRE(start > Offset{100});
  CHECK(must(reader->range(at("t"))).start == start);
  CHECK(must(reader->range(at("t"))).end == Offset{201});
  const absl::Status status = far_behind->read(1).status();
  CHECK(status.code() == absl::StatusCode::kDataLoss);
  CHECK(status.message() ==
        "topic t partition 0: offset 3 was removed by retention, the log "
        "starts at " +
            std::to_string(start.value));
  CHECK(values_of(read_all(*reader, at("t"), start)) == numbers(start.value, 201 - start.value));
  clock.set(LogTime{50'000});
  REQUIRE_OK(owner->enforce_retention());
  CHECK(must(reader->range(at("t"))).start == Offset{201});
  append_values(*owner, "t", {"201"});
  CHECK(values_of(read_all(*reader, at("t"), Offset{201})) == numbers(201, 1));
}

TEST_CASE("a reader knows what the owner has synced") {
  const TempDirectory directory;
  const auto owner = must_open(directory.path());
  REQUIRE_OK(owner->create_topic("t", {}));
  append_values(*owner, "t", numbers(0, 3));
  REQUIRE_OK(owner->sync());
  append_values(*owner, "t", numbers(3, 3));
  const auto reader = must_open(directory.path(), kReader);
  const PartitionRange range = must(reader->range(at("t")));
  CHECK(range.durable_end == Offset{3});
  CHECK(range.end == Offset{6});
}

TEST_CASE("a reader changes nothing") {
  const TempDirectory directory;
  {
    const auto owner = must_open(directory.path(), kOwner);
    REQUIRE_OK(owner->create_topic("t", {}));
    append_values(*owner, "t", {"x"});
  }
  const auto reader = must_open(directory.path(), kReader);
  const RecordToAppend record{.value = "x"};
  const absl::Status status = reader->append("t", {&record, 1}).status();
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(status.message() ==
        "cannot append to topic t: the log in " + directory.path() + " is open for reading only");
  CHECK(reader->create_topic("u", {}).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(reader->sync().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(reader->enforce_retention().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(open_embedded_log(directory.path() + "/nowhere", kReader).status().code() ==
        absl::StatusCode::kNotFound);
  CHECK(reader->range(at("u")).status().message() == "there is no topic \"u\"; the log has t");
}

TEST_CASE("a subscribed reader is called when the owner has appended") {
  const TempDirectory directory;
  const auto owner = must_open(directory.path(), kOwner);
  REQUIRE_OK(owner->create_topic("t", {}));
  EmbeddedLogOptions options = kReader;
  options.follow_interval_ms = 1;
  const auto reader = must_open(directory.path(), options);
  std::atomic<int> calls = 0;
  auto handle = reader->on_append([&] { ++calls; });
  append_values(*owner, "t", {"x"});
  for (int i = 0; i < 5000 && calls == 0; ++i) ::usleep(1000);
  CHECK(calls > 0);
  handle.reset();
}

constexpr int64_t kAppends = 3000;

// In a process of its own: appends with rolls and retention, then says so.
[[noreturn]] void append_in_child(const std::string& directory) {
  auto log = open_embedded_log(directory, {.fsync = Fsync::kNever, .segment_bytes = 64 << 10});
  if (!log.ok()) ::_exit(1);
  int64_t next = 0;
  for (int64_t i = 0; i < kAppends; ++i) {
    std::vector<std::string> values;
    for (int64_t count = 1 + i % 40; count > 0; --count) {
      values.push_back(std::to_string(next++) + std::string(static_cast<size_t>(i % 300), '.'));
    }
    std::vector<RecordToAppend> records;
    for (const std::string& value : values) records.push_back({.value = value, .partition = 0});
    if (!(*log)->append("t", records).ok()) ::_exit(1);
  }
  const RecordToAppend last{.value = "last", .partition = 0};
  ::_exit((*log)->append("t", {&last, 1}).ok() ? 0 : 1);
}

TEST_CASE("a reader in another process follows the owner without gap, tear or repetition") {
  const TempDirectory directory;
  {
    const auto log = must_open(directory.path());
    REQUIRE_OK(log->create_topic("t", {}));
  }
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) append_in_child(directory.path());
  const auto log = must_open(directory.path(), kReader);
  const auto reader = must(log->open_reader(at("t"), Offset{0}));
  int64_t next = 0;
  bool last_seen = false;
  for (int idle = 0; !last_seen && idle < 20'000;) {
    const RecordBlock block = must(reader->read(32 << 10));
    if (block.empty()) {
      ++idle;
      ::usleep(500);
      continue;
    }
    for (const RecordView& record : block.records) {
      const std::string_view value = *record.value_view();
      REQUIRE(record.offset == Offset{next});
      last_seen = value == "last";
      const std::string number = std::to_string(next++);
      REQUIRE((last_seen || (value.starts_with(number) &&
                             value.find_first_not_of('.', number.size()) == std::string::npos)));
    }
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(last_seen);
  CHECK(must(log->range(at("t"))).end == Offset{next});
}

}  // namespace
}  // namespace kappa::log
