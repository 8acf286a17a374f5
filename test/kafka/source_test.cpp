// Reading topics of a real broker through the Log port.

#include "test/kafka/source.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/match.h"
#include "test/kafka/broker.h"
#include "test/kafka/upstream.h"

namespace kappa::test {
namespace {

using Values = std::vector<std::string>;

// What a reader says once it no longer says that it waits.
absl::Status verdict_of(log::LogReader& reader, Offset end) {
  absl::Status status;
  CHECK(eventually([&] {
    status = reader.read_to(end, 1 << 16).status();
    return !absl::IsUnavailable(status);
  }));
  return status;
}

}  // namespace

TEST_CASE("topics of Kafka are made as described, listed, and not made otherwise") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("made");
  const log::TopicConfig config{.partitions = 3, .retention_ms = 3'600'000, .retention_bytes = {}};
  CHECK(absl::IsNotFound(log->topic(topic).status()));
  REQUIRE(log->create_topic(topic, config).ok());
  CHECK(log->create_topic(topic, config).ok());
  const absl::Status other = log->create_topic(topic, {.partitions = 2});
  CHECK(absl::IsAlreadyExists(other));
  CHECK(absl::StrContains(other.message(),
                          "with 3 partitions, retention 3600000 ms and none, not 2 "
                          "partitions, retention none and none"));
  const auto info = log->topic(topic);
  REQUIRE(info.ok());
  CHECK(info->config.partitions == 3);
  CHECK(info->config.retention_ms == 3'600'000);
  CHECK(info->config.retention_bytes == std::nullopt);
  const auto all = log->topics();
  REQUIRE(all.ok());
  CHECK(std::any_of(all->begin(), all->end(), [&](const auto& t) { return t.name == topic; }));
  CHECK(absl::StartsWith(*log->identity(), "kafka "));
}

TEST_CASE("an offset of Kafka is found by time") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("times");
  REQUIRE(log->create_topic(topic, {}).ok());
  append_values(*log, topic, 0, {"a", "b", "c"}, 1'700'000'000'000);
  const TopicPartition partition{topic, 0};
  CHECK(*log->offset_for_time(partition, LogTime{0}) == Offset{0});
  CHECK(*log->offset_for_time(partition, LogTime{1'700'000'000'001}) == Offset{1});
  CHECK(*log->offset_for_time(partition, LogTime{1'700'000'000'003}) == Offset{3});
}

TEST_CASE("aborted records of Kafka are not read, and marks of transactions end no reading") {
  KAPPA_NEED_KAFKA();
  const std::string topic = unique_name("transactions");
  create_topic(shared_broker(), topic, 1, kForEver);
  TransactionalProducer upstream(shared_broker(), topic);
  upstream.begin();
  upstream.produce(topic, 0, {"kept 1", "kept 2"});
  upstream.commit();
  upstream.begin();
  upstream.produce(topic, 0, {"aborted"});
  upstream.abort();
  upstream.begin();
  upstream.produce(topic, 0, {"open"});
  const auto log = open_log(shared_broker());
  const auto range = log->range({topic, 0});
  REQUIRE(range.ok());
  CHECK(range->end ==
        Offset{5});  // two records, a mark, one aborted, a mark: the open one is behind
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, range->end) == Values{"kept 1", "kept 2"});
  CHECK((*reader)->position() == Offset{5});
  upstream.commit();
  CHECK(eventually([&] { return log->range({topic, 0})->end == Offset{7}; }));
  CHECK(read_values(**reader, Offset{7}) == Values{"open"});
}

TEST_CASE("records that were deleted before they were read are a gap with its offsets") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("deleted");
  REQUIRE(log->create_topic(topic, {}).ok());
  append_values(*log, topic, 0, {"a", "b", "c", "d"});
  delete_records(shared_broker(), topic, 0, 3);
  CHECK(log->range({topic, 0})->start == Offset{3});
  const auto reader = log->open_reader({topic, 0}, Offset{1});
  REQUIRE(reader.ok());
  const absl::Status status = verdict_of(**reader, Offset{4});
  INFO(status);
  CHECK(absl::IsDataLoss(status));
  CHECK(
      absl::StrContains(status.message(), absl::StrCat("topic ", topic,
                                                       " partition 0: offset 1 is to be read, but "
                                                       "the log starts at 3")));
}

TEST_CASE("a topic that was made anew with fewer records is a gap") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("anew");
  create_topic(shared_broker(), topic, 1, kForEver);
  append_values(*log, topic, 0, {"a", "b", "c"});
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
  delete_topic(shared_broker(), topic);
  CHECK(eventually([&] { return absl::IsNotFound(log->topic(topic).status()); }));
  create_topic(shared_broker(), topic, 1, kForEver);
  absl::Status status;
  CHECK(eventually([&] {
    status = (*reader)->read(1 << 16).status();
    return absl::IsDataLoss(status);
  }));
  INFO(status);
  CHECK(absl::StrContains(status.message(), "ends at 0"));
  CHECK(absl::StrContains(status.message(), "made anew"));
}

TEST_CASE("a topic that was made anew with as many records is told by the last one that was read") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("anew");
  create_topic(shared_broker(), topic, 1, kForEver);
  append_values(*log, topic, 0, {"a", "b", "c"});
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{3}).size() == 3);
  delete_topic(shared_broker(), topic);
  // The reader waits: a topic that is away may come back.
  CHECK(eventually([&] { return absl::IsUnavailable((*reader)->read(1 << 16).status()); }));
  create_topic(shared_broker(), topic, 1, kForEver);
  kcat(shared_broker(), {"-P", "-t", topic, "-p", "0"}, "v\nw\nx\ny\nz\n");
  absl::Status status;
  CHECK(eventually([&] {
    status = (*reader)->read(1 << 16).status();
    return !status.ok() && !absl::IsUnavailable(status);
  }));
  INFO(status);
  CHECK(absl::IsDataLoss(status));
  CHECK(absl::StrContains(status.message(), "the record at offset 2 is not the one that was read"));
}

TEST_CASE(
    "a topic that was made anew is told by a reader that has looked, and not read on, before") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("anew");
  create_topic(shared_broker(), topic, 1, kForEver);
  append_values(*log, topic, 0, {"a", "b", "c"});
  // As a restarted pipeline does: the record before its place is looked at.
  const auto reader = log->open_reader({topic, 0}, Offset{1});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{2}).front() == "b");
  (*reader)->seek(Offset{3});
  delete_topic(shared_broker(), topic);
  CHECK(eventually([&] { return absl::IsUnavailable((*reader)->read(1 << 16).status()); }));
  create_topic(shared_broker(), topic, 1, kForEver);
  kcat(shared_broker(), {"-P", "-t", topic, "-p", "0"}, "v\nw\nx\ny\nz\n");
  absl::Status status;
  CHECK(eventually([&] {
    status = (*reader)->read(1 << 16).status();
    return !status.ok() && !absl::IsUnavailable(status);
  }));
  INFO(status);
  CHECK(absl::IsDataLoss(status));
  CHECK(absl::StrContains(status.message(), "is not the one that was read there"));
}

TEST_CASE("a header without a value is told from one with an empty value") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("headers");
  create_topic(shared_broker(), topic, 1, kForEver);
  append_with_headers(shared_broker(), topic, {{"none", std::nullopt}, {"empty", ""}, {"x", "y"}});
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  absl::StatusOr<RecordBlock> block = absl::UnavailableError("not read yet");
  CHECK(eventually([&] {
    block = (*reader)->read_to(Offset{1}, 1 << 16);
    return block.ok() && !block->empty();
  }));
  REQUIRE(block.ok());
  REQUIRE(block->records.size() == 1);
  HeaderReader headers(block->records[0]);
  std::string_view name;
  std::optional<std::string_view> value;
  REQUIRE(headers.next(&name, &value));
  CHECK((name == "none" && !value));
  REQUIRE(headers.next(&name, &value));
  CHECK((name == "empty" && value && value->empty()));
  REQUIRE(headers.next(&name, &value));
  CHECK((name == "x" && value == "y"));
  CHECK_FALSE(headers.next(&name, &value));
}

TEST_CASE("partitions that are added to a topic are noticed, and who waits for appends is woken") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("grows");
  create_topic(shared_broker(), topic, 1, kForEver);
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  const uint64_t before = log->partitions_version();
  std::atomic<int> woken{0};
  const auto subscription = log->on_append([&] { ++woken; });
  add_partitions(shared_broker(), topic, 3);
  CHECK(eventually([&] { return log->partitions_version() != before && woken > 0; }));
  CHECK(log->topic(topic)->config.partitions == 3);
  append_values(*log, topic, 2, {"new"});
  const auto added = log->open_reader({topic, 2}, Offset{0});
  REQUIRE(added.ok());
  CHECK(read_values(**added, Offset{1}) == Values{"new"});
}

TEST_CASE("what kcat writes with compression and headers is read") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("packed");
  create_topic(shared_broker(), topic, 1, kForEver);
  for (const char* codec : {"gzip", "snappy", "lz4", "zstd"}) {
    kcat(shared_broker(), {"-P", "-t", topic, "-p", "0", "-z", codec, "-H", "codec=x"},
         absl::StrCat(codec, "\n"));
  }
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  CHECK(read_values(**reader, Offset{4}) == Values{"gzip", "snappy", "lz4", "zstd"});
}

TEST_CASE("a full queue of librdkafka is fetched on as soon as there is room") {
  KAPPA_NEED_KAFKA();
  log::KafkaOptions options;
  options.brokers = shared_broker();
  options.settings = {{"queued.max.messages.kbytes", GENERATE("1024", "128")},
                      {"max.partition.fetch.bytes", "131072"}};
  const auto log = open_log(options);
  const std::string topic = unique_name("long");
  REQUIRE(log->create_topic(topic, {}).ok());
  const Values hundred(100, std::string(10'000, 'x'));
  for (int i = 0; i < 36; ++i) append_values(*log, topic, 0, hundred);
  const auto reader = log->open_reader({topic, 0}, Offset{0});
  REQUIRE(reader.ok());
  // Each time the queue is full before it is read on: librdkafka 2.0.2 sleeps then, for a second.
  const auto begun = std::chrono::steady_clock::now();
  for (int64_t end = 100; end <= 3600; end += 100) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    read_values(**reader, Offset{end});
  }
  CHECK((*reader)->position() == Offset{3600});
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(12));
}

TEST_CASE("checkpoints show as offsets of a group with the product's name") {
  KAPPA_NEED_KAFKA();
  const auto log = open_log(shared_broker());
  const std::string topic = unique_name("lag");
  create_topic(shared_broker(), topic, 1, kForEver);
  append_values(*log, topic, 0, {"a", "b", "c"});
  const std::string product = unique_name("product");
  const std::vector<std::pair<TopicPartition, Offset>> places = {{{topic, 0}, Offset{2}}};
  log->note_checkpoint(product, places);
  CHECK(eventually([&] { return committed_offset(shared_broker(), product, topic, 0) == 2; }));
}

}  // namespace kappa::test
