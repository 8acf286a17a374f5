#include "engine/log/embedded/embedded_log.h"

#include <chrono>
#include <set>
#include <thread>

#include "test/log/log_fixture.h"

namespace kappa::log {
namespace {

using Catch::Matchers::Contains;

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
  CHECK(log->cut_tails().empty());
  CHECK(values_of(read_all(*log, at("t"))) == numbers(0, 20));
  CHECK(append_values(*log, "t", {"20"}) == Offset{20});
  CHECK(values_of(read_all(*log, at("t"), Offset{19})) == numbers(19, 2));
}

TEST_CASE("topics keep their configuration, and are refused with another") {
  const TempDirectory directory;
  const TopicConfig config{.partitions = 3, .retention_ms = 1000, .retention_bytes = 5};
  {
    const auto log = must_open(directory.path());
    REQUIRE_OK(log->create_topic("kept", config));
    REQUIRE_OK(log->create_topic("other", {.partitions = 1}));
    REQUIRE_OK(log->create_topic("kept", config));
    const absl::Status status = log->create_topic("kept", {.partitions = 3, .retention_ms = 1000});
    CHECK(status.code() == absl::StatusCode::kAlreadyExists);
    CHECK(status.message() ==
          "topic kept is there already, with 3 partitions, retention 1000 ms and 5 bytes; asked "
          "for: 3 partitions, retention 1000 ms and unlimited");
  }
  const auto log = must_open(directory.path());
  const std::vector<TopicInfo> topics = must(log->topics());
  REQUIRE(topics.size() == 2);
  CHECK(topics[0].name == "kept");
  CHECK(topics[0].config.partitions == 3);
  CHECK(topics[0].config.retention_ms == 1000);
  CHECK(topics[0].config.retention_bytes == 5);
  CHECK(topics[1].name == "other");
  CHECK(topics[1].config.retention_ms == std::nullopt);
  CHECK(must(log->topic("kept")).config.partitions == 3);
}

TEST_CASE("an impossible topic is refused with what would be right") {
  const TempDirectory directory;
  const auto log = must_open(directory.path());
  const auto message = [&](const std::string& name, const TopicConfig& config) {
    const absl::Status status = log->create_topic(name, config);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  CHECK(message("t", {.partitions = 0}) == "topic t: partitions is 0; it must be 1 to 4096");
  CHECK(message("t", {.partitions = 4097}) == "topic t: partitions is 4097; it must be 1 to 4096");
  CHECK(message("t", {.retention_ms = -1}) ==
        "topic t: retention_ms is -1; it must be 0 or more; leave it out for ever");
  CHECK(message("t", {.retention_bytes = -1}) ==
        "topic t: retention_bytes is -1; it must be 0 or more; leave it out for no limit");
  CHECK_THAT(message("a b", {}), Contains("found \" \" at character 2"));
  CHECK(must(log->topics()).empty());
}

TEST_CASE("an unknown topic or partition is named, with those there are") {
  const TempDirectory directory;
  const auto log = must_open(directory.path());
  CHECK(log->topic("sales").status().message() ==
        "there is no topic \"sales\"; the log has none yet");
  REQUIRE_OK(log->create_topic("clicks", {.partitions = 2}));
  REQUIRE_OK(log->create_topic("transactions", {}));
  const std::string no_topic = "there is no topic \"sales\"; the log has clicks, transactions";
  const RecordToAppend record{.value = "x"};
  CHECK(log->topic("sales").status().message() == no_topic);
  CHECK(log->range(at("sales")).status().message() == no_topic);
  CHECK(log->offset_for_time(at("sales"), LogTime{0}).status().message() == no_topic);
  CHECK(log->open_reader(at("sales"), Offset{0}).status().message() == no_topic);
  CHECK(log->append("sales", {&record, 1}).status().message() == no_topic);
  CHECK(log->topic("sales").status().code() == absl::StatusCode::kNotFound);

  const std::string no_partition = "topic clicks has no partition 2; it has 0 to 1";
  CHECK(log->range(at("clicks", 2)).status().message() == no_partition);
  CHECK(log->open_reader(at("clicks", 2), Offset{0}).status().message() == no_partition);
  const RecordToAppend astray{.value = "x", .partition = 2};
  CHECK(log->append("clicks", {&astray, 1}).status().message() == no_partition);
  CHECK(log->range(at("clicks", -1)).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("records of one call keep their order in each partition, found by key") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {.partitions = 5}));
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("key-" + std::to_string(i % 37));
  const std::vector<std::string> values = numbers(0, 1000);
  std::vector<RecordToAppend> records(1000);
  for (size_t i = 0; i < 1000; ++i) records[i] = {.key = keys[i], .value = values[i]};
  const std::vector<AppendedAt> appended = must(log->append("t", records));
  std::vector<std::vector<ReadRecord>> read;
  for (int32_t p = 0; p < 5; ++p) read.push_back(read_all(*log, at("t", p)));
  std::vector<int64_t> next(5, 0);
  for (size_t i = 0; i < 1000; ++i) {
    const auto partition = static_cast<size_t>(appended[i].partition);
    REQUIRE(appended[i].partition == partition_for_key(keys[i], 5));
    REQUIRE(appended[i].offset == Offset{next[partition]++});
    REQUIRE(read[partition][static_cast<size_t>(appended[i].offset.value)].value == values[i]);
  }
}

TEST_CASE("records without a key are spread over the partitions, alike for a seed") {
  std::vector<std::vector<int32_t>> partitions;
  for (int round = 0; round < 2; ++round) {
    const TempDirectory directory;
    const auto log = must_open(directory.path(), {.fsync = Fsync::kNever, .seed = 17});
    REQUIRE_OK(log->create_topic("t", {.partitions = 4}));
    const std::vector<RecordToAppend> records(400, {.value = "x"});
    partitions.emplace_back();
    for (const AppendedAt& a : must(log->append("t", records))) {
      partitions.back().push_back(a.partition);
    }
    for (int32_t p = 0; p < 4; ++p) {
      const int64_t count = must(log->range(at("t", p))).end.value;
      CHECK(count > 50);
      CHECK(count < 150);
    }
  }
  CHECK(partitions[0] == partitions[1]);
}

TEST_CASE("a record that cannot be kept is refused, and all that came with it") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {.partitions = 2}));
  const std::vector<RecordToAppend> early = {
      {.value = "fine", .partition = 0}, {.value = "x", .timestamp = LogTime{-5}, .partition = 1}};
  absl::Status status = log->append("t", early).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(status.message() ==
        "topic t: record 1 has the timestamp -5 ms; it must not lie before 1970");
  const std::string huge((64u << 20) + 1, 'x');
  const std::vector<RecordToAppend> large = {{.value = "fine", .partition = 0}, {.value = huge}};
  status = log->append("t", large).status();
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(status.message()), Contains("it may have 67108864"));
  CHECK(must(log->range(at("t", 0))).end == Offset{0});
  CHECK(must(log->append("t", {})).empty());
}

TEST_CASE("reading starts at any offset and goes on across batches and segments") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever, .segment_bytes = 4096});
  REQUIRE_OK(log->create_topic("t", {}));
  for (int64_t i = 0; i < 400; i += 4) append_values(*log, "t", numbers(i, 4));
  CHECK(std::filesystem::exists(directory.path() + "/t/0/00000000000000000000.log"));
  CHECK(std::filesystem::exists(directory.path() + "/t/0/00000000000000000000.index"));
  for (const int64_t from : {0, 1, 3, 4, 5, 150, 151, 152, 153, 398, 399, 400}) {
    for (const size_t bytes_max : {size_t{0}, size_t{5000}, size_t{1} << 20}) {
      const auto read = read_all(*log, at("t"), Offset{from}, bytes_max);
      REQUIRE(values_of(read) == numbers(from, 400 - from));
      if (!read.empty()) REQUIRE(read.front().offset == Offset{from});
    }
  }
}

TEST_CASE("a reader says where it is, and can be sent elsewhere") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  append_values(*log, "t", numbers(0, 10));
  const auto reader = must(log->open_reader(at("t"), Offset{4}));
  CHECK(reader->position() == Offset{4});
  RecordBlock block = must(reader->read(1 << 16));
  CHECK(block.records.size() == 6);
  CHECK(block.next_offset == Offset{10});
  CHECK(reader->position() == Offset{10});
  block = must(reader->read(1 << 16));
  CHECK(block.empty());
  CHECK(block.next_offset == Offset{10});
  append_values(*log, "t", {"10"});
  block = must(reader->read(1 << 16));
  REQUIRE(block.records.size() == 1);
  CHECK(block.records[0].value_view() == "10");
  reader->seek(Offset{2});
  CHECK(reader->position() == Offset{2});
  CHECK(must(reader->read(1 << 16)).records.front().offset == Offset{2});
  reader->seek(Offset{50});
  CHECK(must(reader->read(1 << 16)).empty());
  append_values(*log, "t", numbers(11, 45));
  CHECK(must(reader->read(1 << 16)).records.front().value_view() == "50");
}

TEST_CASE("a block keeps its bytes when the reader goes on, with room behind each value") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  for (int i = 0; i < 100; ++i) append_values(*log, "t", {std::string(3000, static_cast<char>(i))});
  auto reader = must(log->open_reader(at("t"), Offset{0}));
  std::vector<RecordBlock> blocks;
  while (true) {
    RecordBlock block = must(reader->read(10'000));
    if (block.empty()) break;
    CHECK(block.records.size() <= 3);
    blocks.push_back(std::move(block));
  }
  reader.reset();
  char value = 0;
  for (const RecordBlock& block : blocks) {
    for (const RecordView& record : block.records) {
      CHECK(record.value_view() == std::string(3000, value++));
      // Sanitizers would object if these were outside.
      int sum = 0;
      for (size_t i = 0; i < kRecordPadding; ++i) sum += record.value[record.value_size + i];
      CHECK(sum < 64 * 256);
    }
  }
  CHECK(value == 100);
}

TEST_CASE("a record larger than what is asked for is read all the same") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever, .segment_bytes = 4096});
  REQUIRE_OK(log->create_topic("t", {}));
  const std::string large(3'000'000, 'L');
  append_values(*log, "t", {"a", large, "b"});
  append_values(*log, "t", {"c"});
  const auto reader = must(log->open_reader(at("t"), Offset{0}));
  std::vector<std::string> values;
  for (RecordBlock block = must(reader->read(1)); !block.empty(); block = must(reader->read(1))) {
    for (const RecordView& record : block.records) values.emplace_back(*record.value_view());
  }
  CHECK(values == std::vector<std::string>{"a", large, "b", "c"});
}

TEST_CASE("the offset for a time is that of the first record not before it") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever, .segment_bytes = 20'000});
  REQUIRE_OK(log->create_topic("t", {}));
  CHECK(must(log->offset_for_time(at("t"), LogTime{0})) == Offset{0});
  // Times rise by and large, with a record far back now and then.
  std::vector<int64_t> times;
  for (int64_t i = 0; i < 2000; ++i)
    times.push_back(i % 7 == 6 ? i * 10 - 500 + 1000 : i * 10 + 1000);
  const std::string filler(200, 'f');
  for (size_t i = 0; i < times.size();) {
    std::vector<RecordToAppend> records;
    for (size_t end = std::min(i + 1 + i % 13, times.size()); i < end; ++i) {
      records.push_back({.value = filler, .timestamp = LogTime{times[i]}});
    }
    must(log->append("t", records));
  }
  const auto expect = [&](int64_t time) {
    size_t i = 0;
    while (i < times.size() && times[i] < time) ++i;
    return Offset{static_cast<int64_t>(i)};
  };
  for (int64_t time = 0; time < 22'000; time += 37) {
    INFO("time " << time);
    REQUIRE(must(log->offset_for_time(at("t"), LogTime{time})) == expect(time));
  }
  for (size_t i = 0; i < times.size(); i += 11) {
    REQUIRE(must(log->offset_for_time(at("t"), LogTime{times[i]})) == expect(times[i]));
  }
  CHECK(must(log->offset_for_time(at("t"), LogTime{1'000'000})) == Offset{2000});
}

TEST_CASE("offsets are found when the index files are missing or damaged") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever, .segment_bytes = 100'000});
  REQUIRE_OK(log->create_topic("t", {}));
  const std::string filler(500, 'f');
  for (int64_t i = 0; i < 1000; ++i) append_values(*log, "t", {filler}, 0, LogTime{i});
  const std::string partition = directory.path() + "/t/0";
  int damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(partition)) {
    if (entry.path().extension() != ".index") continue;
    if (damaged % 3 == 0) std::filesystem::remove(entry.path());
    if (damaged % 3 == 1) std::filesystem::resize_file(entry.path(), 50);
    if (damaged % 3 == 2) std::filesystem::resize_file(entry.path(), 5000);
    ++damaged;
  }
  CHECK(damaged >= 5);
  for (int64_t i = 0; i < 1000; i += 9) {
    const auto reader = must(log->open_reader(at("t"), Offset{i}));
    REQUIRE(must(reader->read(1)).records.front().offset == Offset{i});
    REQUIRE(must(log->offset_for_time(at("t"), LogTime{i})) == Offset{i});
  }
}

TEST_CASE("whoever subscribed is called after each append, until the handle is gone") {
  const TempDirectory directory;
  auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  int first = 0;
  int second = 0;
  int64_t end_seen = 0;
  auto one = log->on_append([&] {
    ++first;
    end_seen = must(log->range(at("t"))).end.value;
  });
  auto two = log->on_append([&] { ++second; });
  append_values(*log, "t", numbers(0, 3));
  CHECK(first == 1);
  CHECK(second == 1);
  CHECK(end_seen == 3);
  one.reset();
  append_values(*log, "t", {"x"});
  CHECK(first == 1);
  CHECK(second == 2);
  log.reset();
  two.reset();
}

TEST_CASE("a subscription may end itself from its own call") {
  const TempDirectory directory;
  const auto log = must_open(directory.path(), {.fsync = Fsync::kNever});
  REQUIRE_OK(log->create_topic("t", {}));
  int calls = 0;
  std::shared_ptr<void> handle;
  handle = log->on_append([&] {
    ++calls;
    handle.reset();
  });
  append_values(*log, "t", {"a"});
  append_values(*log, "t", {"b"});
  CHECK(calls == 1);
}

TEST_CASE("a log has one owner") {
  const TempDirectory directory;
  auto log = must_open(directory.path());
  const absl::Status status = open_embedded_log(directory.path(), {}).status();
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(status.message() == "the log in " + directory.path() +
                                " is owned by this process already; a log has one owner, others "
                                "open it for reading");
  log.reset();
  must_open(directory.path());
}

TEST_CASE("options out of range are refused") {
  const TempDirectory directory;
  const auto code = [&](const EmbeddedLogOptions& options) {
    return open_embedded_log(directory.path(), options).status().code();
  };
  CHECK(code({.segment_bytes = 100}) == absl::StatusCode::kInvalidArgument);
  CHECK(code({.segment_bytes = int64_t{2} << 30}) == absl::StatusCode::kInvalidArgument);
  CHECK(code({.fsync_interval_ms = 0}) == absl::StatusCode::kInvalidArgument);
  CHECK(code({.retention_check_ms = -1}) == absl::StatusCode::kInvalidArgument);
  CHECK(code({.follow_interval_ms = 0}) == absl::StatusCode::kInvalidArgument);
  CHECK(open_embedded_log(directory.path(), {.segment_bytes = 100}).status().message() ==
        "embedded log: segment_bytes is 100; it must be 1024 to 1073741824");
}

TEST_CASE("the fsync policy says when records become durable") {
  const TempDirectory directory;
  const auto durable_after_append = [&](Fsync fsync) {
    const auto log = must_open(directory.path(), {.fsync = fsync, .fsync_interval_ms = 1});
    REQUIRE_OK(log->create_topic("t", {}));
    append_values(*log, "t", {"x"});
    for (int i = 0; fsync == Fsync::kInterval && i < 5000; ++i) {
      const PartitionRange range = must(log->range(at("t")));
      if (range.durable_end == range.end) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const PartitionRange range = must(log->range(at("t")));
    const bool durable = range.durable_end == range.end;
    REQUIRE_OK(log->sync());
    const PartitionRange synced = must(log->range(at("t")));
    CHECK(synced.durable_end == synced.end);
    return durable;
  };
  CHECK_FALSE(durable_after_append(Fsync::kOnSync));
  CHECK_FALSE(durable_after_append(Fsync::kNever));
  CHECK(durable_after_append(Fsync::kInterval));
  CHECK(durable_after_append(Fsync::kAlways));
}

TEST_CASE("what is left of a topic that was being made is swept away") {
  const TempDirectory directory;
  std::filesystem::create_directories(directory.path() + "/half~/0");
  std::filesystem::create_directories(directory.path() + "/not-a-topic");
  const auto log = must_open(directory.path());
  CHECK(must(log->topics()).empty());
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/half~"));
  REQUIRE_OK(log->create_topic("half", {.partitions = 2}));
  append_values(*log, "half", {"x"}, 1);
}

}  // namespace
}  // namespace kappa::log
