#include <atomic>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/log/kafka_mock.h"

namespace kappa::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

RecordToAppend record(std::string_view key, std::string_view value, int64_t timestamp_ms = 1000) {
  RecordToAppend made;
  made.key = key;
  made.value = value;
  made.timestamp = LogTime{timestamp_ms};
  return made;
}

// Appends values "0", "1", … to partition 0.
void append_numbers(Log& log, const std::string& topic, int from, int to) {
  std::vector<std::string> values;
  for (int i = from; i < to; ++i) values.push_back(absl::StrCat(i));
  std::vector<RecordToAppend> records;
  for (const std::string& value : values) {
    records.push_back(record("key", value));
    records.back().partition = 0;
  }
  const auto appended = log.append(topic, records);
  INFO(appended.status());
  REQUIRE(appended.ok());
}

// Everything up to `end`, however often one has to ask.
std::vector<std::string> read_values(LogReader& reader, Offset end) {
  std::vector<std::string> values;
  const auto give_up = steady_clock::now() + seconds(20);
  while (reader.position() < end && steady_clock::now() < give_up) {
    const auto block = reader.read_to(end, 1 << 16);
    if (absl::IsUnavailable(block.status())) continue;
    INFO(block.status());
    REQUIRE(block.ok());
    for (const RecordView& view : block->records) values.emplace_back(*view.value_view());
  }
  return values;
}

template <typename Condition>
bool eventually(Condition holds) {
  const auto give_up = steady_clock::now() + seconds(20);
  while (!holds()) {
    if (steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

}  // namespace

TEST_CASE("what is appended to Kafka is read back with key, value, time and headers") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  const RecordHeaders headers = {{"source", "till 7"}, {"empty", ""}};
  std::vector<RecordToAppend> records = {record("a", "one", 1'700'000'000'000),
                                         record("", "", 1'700'000'000'001)};
  records[0].headers = &headers;
  records.push_back({});
  records[2].timestamp = LogTime{1'700'000'000'002};
  const auto appended = log->append("sales", records);
  REQUIRE(appended.ok());
  REQUIRE(appended->size() == 3);
  CHECK((*appended)[2].offset == Offset{2});

  const auto range = log->range({"sales", 0});
  REQUIRE(range.ok());
  CHECK(range->start == Offset{0});
  CHECK(range->end == Offset{3});
  CHECK(range->durable_end == Offset{3});

  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  std::vector<RecordView> read;
  std::vector<RecordBlock> blocks;
  while ((*reader)->position() < range->end) {
    auto block = (*reader)->read_to(range->end, 1 << 16);
    if (absl::IsUnavailable(block.status())) continue;
    REQUIRE(block.ok());
    read.insert(read.end(), block->records.begin(), block->records.end());
    blocks.push_back(*std::move(block));
  }
  REQUIRE(read.size() == 3);
  CHECK(read[0].key_view() == "a");
  CHECK(read[0].value_view() == "one");
  CHECK(read[0].timestamp == LogTime{1'700'000'000'000});
  CHECK(parse_headers(read[0]) == headers);
  CHECK(read[1].key_view() == "");
  CHECK(read[1].value_view() == "");
  CHECK(read[1].headers == nullptr);
  CHECK(read[2].key_view() == std::nullopt);
  CHECK(read[2].value_view() == std::nullopt);
  CHECK(read[2].timestamp == LogTime{1'700'000'000'002});
}

TEST_CASE("a reader of Kafka begins where it is told and drops what its batch has before") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 100);
  const auto reader = log->open_reader({"sales", 0}, Offset{97});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{100}) == std::vector<std::string>{"97", "98", "99"});
  (*reader)->seek(Offset{99});
  CHECK(read_values(**reader, Offset{100}) == std::vector<std::string>{"99"});
}

TEST_CASE("blocks from Kafka have about the size that was asked for, and padding behind") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 5000);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  size_t records = 0;
  while ((*reader)->position() < Offset{5000}) {
    const auto block = (*reader)->read_to(Offset{5000}, 1000);
    if (absl::IsUnavailable(block.status())) continue;
    REQUIRE(block.ok());
    CHECK(block->records.size() <= 251);  // of 4 bytes and more, key and value
    for (const RecordView& view : block->records) {
      CHECK(view.offset.value == static_cast<int64_t>(records));
      ++records;
    }
    CHECK(block->next_offset.value == static_cast<int64_t>(records));
    const RecordView& last = block->records.back();
    volatile char sum = 0;
    for (size_t i = 0; i < kRecordPadding; ++i) {
      sum = static_cast<char>(sum + last.value[last.value_size + i]);  // asan looks
    }
  }
  CHECK(records == 5000);
}

TEST_CASE("records larger than a block still come, one at a time") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  const std::string large(300'000, 'x');
  const std::vector<RecordToAppend> records = {record("a", large), record("b", large)};
  REQUIRE(log->append("sales", records).ok());
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{2}) == std::vector<std::string>{large, large});
}

TEST_CASE("reading at the end of a partition does not wait, and appends wake who listens") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
  const auto begun = steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    const auto block = (*reader)->read(1 << 16);
    REQUIRE(block.ok());
    REQUIRE(block->empty());
  }
  CHECK(steady_clock::now() - begun < seconds(1));

  // The end that the fetcher met may wake once more.
  std::this_thread::sleep_for(milliseconds(500));
  REQUIRE((*reader)->read(1 << 16)->empty());
  std::atomic<int> woken{0};
  const auto subscription = log->on_append([&] { ++woken; });
  append_numbers(*log, "sales", 3, 4);
  CHECK(eventually([&] { return woken > 0; }));
  CHECK(read_values(**reader, Offset{4}) == std::vector<std::string>{"3"});
}

TEST_CASE("an end that Kafka does not have is told by an empty block") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
  CHECK(eventually([&] {
    const auto block = (*reader)->read_to(Offset{10}, 1 << 16);
    return block.ok() && block->empty();
  }));
}

TEST_CASE("two readers of one partition do not disturb each other") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 50);
  const auto one = log->open_reader({"sales", 0}, Offset{0});
  const auto other = log->open_reader({"sales", 0}, Offset{40});
  REQUIRE(one.ok());
  REQUIRE(other.ok());
  CHECK(read_values(**other, Offset{50}).size() == 10);
  CHECK(read_values(**one, Offset{50}).size() == 50);
}

TEST_CASE("a position that Kafka does not have is a gap that names topic, partition and offsets") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  const auto reader = log->open_reader({"sales", 0}, Offset{8});
  REQUIRE(reader.ok());
  absl::Status status;
  CHECK(eventually([&] {
    status = (*reader)->read_to(Offset{9}, 1 << 16).status();
    return absl::IsDataLoss(status);
  }));
  INFO(status);
  CHECK(absl::StrContains(
      status.message(), "topic sales partition 0: offset 8 is to be read, but the log ends at 3"));
  CHECK((*reader)->read(1 << 16).status() == status);
}

TEST_CASE("a broker that is away holds a reader, which goes on when it is back") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
  cluster.set_down(1);
  absl::Status status;
  CHECK(eventually([&] {
    status = (*reader)->read(1 << 16).status();
    return absl::IsUnavailable(status);
  }));
  INFO(status);
  CHECK(absl::StrContains(status.message(), "waiting for topic sales partition 0 at offset 3"));
  CHECK(absl::IsUnavailable((*reader)->read_to(Offset{0}, 1 << 16).status()));
  CHECK(absl::IsUnavailable(log->range({"sales", 0}).status()));
  cluster.set_up(1);
  append_numbers(*log, "sales", 3, 5);
  CHECK(read_values(**reader, Offset{5}) == std::vector<std::string>{"3", "4"});
  CHECK(eventually([&] { return log->range({"sales", 0}).ok(); }));
}

TEST_CASE("a new leader is read from where the old one was left") {
  MockCluster cluster(2);
  cluster.make_topic("sales", 1);
  cluster.set_leader("sales", 0, 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
  cluster.set_leader("sales", 0, 2);
  append_numbers(*log, "sales", 3, 6);
  CHECK(read_values(**reader, Offset{6}) == std::vector<std::string>{"3", "4", "5"});
}

TEST_CASE("passing errors of a fetch are waited out") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  cluster.fail_fetches(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 2);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
}

TEST_CASE("an unknown topic or partition of Kafka is not found") {
  MockCluster cluster;
  cluster.make_topic("sales", 2);
  cluster.set_topic_error("gone", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const auto log = cluster.open();
  CHECK(absl::IsNotFound(log->topic("gone").status()));
  CHECK(absl::IsNotFound(log->range({"sales", 2}).status()));
  CHECK(absl::IsNotFound(log->open_reader({"sales", 2}, Offset{0}).status()));
  const auto topic = log->topic("sales");
  REQUIRE(topic.ok());
  CHECK(topic->config.partitions == 2);
}

TEST_CASE("records go to Kafka's partitions by our own partitioner") {
  MockCluster cluster;
  cluster.make_topic("sales", 4);
  const auto log = cluster.open();
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(absl::StrCat("card-", i));
  std::vector<RecordToAppend> records;
  for (const std::string& key : keys) records.push_back(record(key, "x"));
  const auto appended = log->append("sales", records);
  REQUIRE(appended.ok());
  for (size_t i = 0; i < keys.size(); ++i) {
    CHECK((*appended)[i].partition == partition_for_key(keys[i], 4));
  }
}

TEST_CASE("what a Kafka record cannot be is refused before anything is sent") {
  MockCluster cluster;
  cluster.make_topic("sales", 1);
  const auto log = cluster.open();
  CHECK(absl::IsInvalidArgument(
      log->append("sales", std::vector{record("a", "b"), record("a", "b", 0)}).status()));
  std::vector<RecordToAppend> elsewhere = {record("a", "b")};
  elsewhere[0].partition = 3;
  CHECK(absl::IsNotFound(log->append("sales", elsewhere).status()));
  CHECK(log->range({"sales", 0})->end == Offset{0});
}

TEST_CASE("without a broker everything is unavailable, and says where it looked") {
  KafkaOptions options;
  options.brokers = "127.0.0.1:1";
  options.log_line = [](std::string_view) {};
  const auto log = open_kafka_log(options);
  REQUIRE(log.ok());
  const absl::Status status = (*log)->identity().status();
  INFO(status);
  CHECK(absl::IsUnavailable(status));
  CHECK(absl::StrContains(status.message(), "127.0.0.1:1"));
}

TEST_CASE("figures of a Kafka log name each partition that is read") {
  MockCluster cluster;
  cluster.make_topic("sales", 2);
  const auto log = cluster.open();
  append_numbers(*log, "sales", 0, 3);
  const auto reader = log->open_reader({"sales", 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(eventually([&] {
    for (const LogFigure& figure : log->figures()) {
      if (figure.name != "kappa_kafka_queued_records") continue;
      CHECK(figure.labels[0] == std::pair<std::string, std::string>{"topic", "sales"});
      CHECK(figure.labels[1] == std::pair<std::string, std::string>{"partition", "0"});
      if (figure.value >= 3) return true;  // the end that the fetcher has met counts too
    }
    return false;
  }));
  CHECK(log->last_range({"sales", 0})->end == Offset{3});
}

}  // namespace kappa::log
