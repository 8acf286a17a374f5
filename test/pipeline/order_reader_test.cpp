#include "engine/runtime/order_reader.h"

#include <catch2/catch.hpp>

#include "test/pipeline/compacted_log.h"
#include "test/pipeline/test_product.h"

namespace kappa::runtime {
namespace {

using test::require_ok;

// A log of topics "a" (two partitions) and "b" (one), and the order in which they are read.
struct Fixture {
  test::TemporaryDirectory directory;
  ManualClock clock{LogTime{1'000'000}};
  std::unique_ptr<log::Log> log;

  Fixture() {
    log::EmbeddedLogOptions options;
    options.fsync = log::Fsync::kNever;
    options.retention_check_ms = 0;
    options.clock = &clock;
    auto opened = log::open_embedded_log(directory.path("log"), options);
    require_ok(opened.status());
    log = *std::move(opened);
    require_ok(log->create_topic("a", {.partitions = 2}));
    require_ok(log->create_topic("b", {.partitions = 1}));
  }

  void append(const std::string& topic, int32_t partition, const std::string& value, int64_t ms) {
    const log::RecordToAppend record{{}, value, LogTime{ms}, partition, nullptr};
    require_ok(log->append(topic, {&record, 1}).status());
  }

  OrderReader open() { return open_over(*log); }
  OrderReader open_over(const log::Log& from) {
    auto reader = OrderReader::open(from, {"a", "b"}, {});
    require_ok(reader.status());
    return *std::move(reader);
  }

  // The payloads of everything there is, in the order, `places_max` a turn.
  std::vector<std::string> order(OrderReader& reader, LogTime at, size_t places_max) {
    return order_of(reader, describe(reader, at), places_max);
  }

  JournalEntry describe(const OrderReader& reader, LogTime at) {
    auto entry = reader.describe_backlog(at);
    require_ok(entry.status());
    REQUIRE(entry->has_value());
    return **std::move(entry);
  }

  // The payloads of an entry, in the order, `places_max` a turn.
  std::vector<std::string> order_of(OrderReader& reader, JournalEntry entry, size_t places_max) {
    reader.begin(std::move(entry));
    std::vector<std::string> values;
    Epoch epoch(2, 2, 1);
    while (reader.entry()) {
      epoch.clear();
      require_ok(reader.fill(epoch, places_max));
      for (uint32_t place = 0; place < epoch.size(); ++place) {
        values.emplace_back(*epoch.at(place).record->value_view());
      }
    }
    return values;
  }
};

TEST_CASE_METHOD(Fixture, "records come by log time, then topic, partition and offset") {
  append("a", 0, "a0.10", 10);
  append("a", 0, "a0.5", 5);  // its log time is 10, the running maximum
  append("a", 0, "a0.30", 30);
  append("a", 1, "a1.7", 7);
  append("a", 1, "a1.10", 10);
  append("b", 0, "b.10", 10);
  append("b", 0, "b.31", 31);
  const std::vector<std::string> expected = {"a1.7", "a0.10", "a0.5", "a1.10",
                                             "b.10", "a0.30", "b.31"};
  for (size_t places_max : {1, 2, 3, 100}) {
    OrderReader reader = open();
    CHECK(order(reader, LogTime{100}, places_max) == expected);
  }
}

TEST_CASE_METHOD(
    Fixture,
    "a record timestamp ahead of the clock is ignored, and log time starts anew in each entry") {
  append("a", 0, "first", 999);  // ahead: no log time yet, so it sorts first
  append("a", 0, "second", 20);
  append("b", 0, "b.15", 15);
  OrderReader reader = open();
  CHECK(order(reader, LogTime{100}, 10) == std::vector<std::string>{"first", "b.15", "second"});
  append("a", 0, "third", 10);
  append("b", 0, "b.12", 12);
  CHECK(order(reader, LogTime{100}, 10) == std::vector<std::string>{"third", "b.12"});
}

TEST_CASE_METHOD(Fixture, "an entry whose last record is another one than the log's is aborted") {
  append("a", 0, "x", 10);
  OrderReader reader = open();
  auto entry = reader.describe_backlog(LogTime{100});
  require_ok(entry.status());
  (*entry)->advances[0].last_record ^= 1;
  reader.begin(**entry);
  Epoch epoch(2, 2, 1);
  const absl::Status filled = reader.fill(epoch, 10);
  CHECK(absl::IsAborted(filled));
  CHECK_THAT(std::string(filled.message()), Catch::Contains("topic a partition 0"));
}

TEST_CASE_METHOD(Fixture, "an entry that goes beyond the log's end is aborted") {
  append("a", 0, "x", 10);
  OrderReader reader = open();
  reader.begin({JournalEntry::Kind::kLive, LogTime{100}, {{{"a", 0}, Offset{2}, 1}}});
  Epoch epoch(2, 2, 1);
  CHECK(absl::IsAborted(reader.fill(epoch, 10)));
}

TEST_CASE_METHOD(Fixture, "an entry is what compaction has left of its offsets, and no more") {
  for (const char* value : {"a0", "a1", "a2"}) append("a", 0, value, 10);
  for (const char* value : {"b0", "b1"}) append("b", 0, value, 20);
  const OrderReader before = open();
  const JournalEntry entry = describe(before, LogTime{100});
  append("a", 0, "a3", 30);
  append("b", 0, "b2", 30);
  // The last record of one partition, and all of the other's.
  test::CompactedLog compacted(log.get());
  compacted.remove({"a", 0}, Offset{2});
  compacted.remove({"b", 0}, Offset{0});
  compacted.remove({"b", 0}, Offset{1});
  for (const size_t places_max : {size_t{1}, size_t{10}}) {
    OrderReader reader = open_over(compacted);
    CHECK(order_of(reader, entry, places_max) == std::vector<std::string>{"a0", "a1"});
    CHECK(order(reader, LogTime{200}, places_max) == std::vector<std::string>{"a3", "b2"});
  }
}

TEST_CASE_METHOD(Fixture,
                 "an entry whose last records are gone with the end of the log is aborted") {
  append("a", 0, "a0", 10);
  append("a", 0, "a1", 10);
  test::CompactedLog compacted(log.get());
  compacted.remove({"a", 0}, Offset{1});
  OrderReader reader = open_over(compacted);
  // The log ends at 2.
  reader.begin({JournalEntry::Kind::kLive, LogTime{100}, {{{"a", 0}, Offset{3}, 1}}});
  Epoch epoch(2, 2, 1);
  CHECK(absl::IsAborted(reader.fill(epoch, 10)));
}

TEST_CASE_METHOD(Fixture, "what was loaded becomes an entry of about the size asked for") {
  for (int i = 0; i < 10; ++i) append("a", 0, "x", i);
  append("b", 0, "y", 5);
  OrderReader reader = open();
  CHECK(!reader.take_loaded(LogTime{100}, 4));
  for (size_t p = 0; p < reader.partitions(); ++p) require_ok(reader.load(p, 100));
  const auto entry = reader.take_loaded(LogTime{100}, 4);
  REQUIRE(entry);
  REQUIRE(entry->advances.size() == 2);
  CHECK(entry->advances[0].to == Offset{2});
  CHECK(entry->advances[1].to == Offset{1});
  CHECK(reader.oldest_loaded() == LogTime{0});
}

}  // namespace
}  // namespace kappa::runtime
