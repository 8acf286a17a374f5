// Admin, through the client.
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

RecordToSend note(int n, int32_t partition = 0) {
  RecordToSend made;
  made.key = "k" + std::to_string(n);
  made.value = "v" + std::to_string(n);
  made.timestamp = LogTime{1000 * n};
  made.partition = partition;
  return made;
}

// Reads until the end, or until so many records came.
std::vector<ReceivedRecord> read(Client& client, const std::string& topic,
                                 const TopicReadOptions& options, absl::Status* status,
                                 size_t records_max = 1'000'000) {
  std::vector<ReceivedRecord> records;
  *status = client.read_topic(topic, options, [&](ReceivedRecord record) {
    records.push_back(std::move(record));
    return records.size() < records_max;
  });
  return records;
}

std::string values_of(const std::vector<ReceivedRecord>& records) {
  std::string values;
  for (const ReceivedRecord& record : records) values += record.value.value_or("-") + " ";
  return values;
}

TEST_CASE("topics are made and listed with their partitions, offsets and retention") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("orders", {2, 86'400'000, 1 << 20}).ok());
  REQUIRE(client->create_topic("clicks", {}).ok());
  REQUIRE(client->append("orders", {note(1, 1), note(2, 1)}).ok());
  const auto topics = client->topics();
  REQUIRE(topics.ok());
  REQUIRE(topics->size() == 2);
  CHECK((*topics)[0].info.name == "clicks");
  CHECK_FALSE((*topics)[0].info.config.retention_ms.has_value());
  const TopicStatus& orders = (*topics)[1];
  CHECK(orders.info.config.retention_ms == 86'400'000);
  CHECK(orders.info.config.retention_bytes == 1 << 20);
  REQUIRE(orders.partitions.size() == 2);
  CHECK(orders.partitions[0].end == Offset{0});
  CHECK(orders.partitions[1].start == Offset{0});
  CHECK(orders.partitions[1].end == Offset{2});
  CHECK(orders.partitions[1].durable_end == Offset{2});
}

TEST_CASE("topics are listed with where a time is in their partitions, if that is asked for") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {3, {}, {}}).ok());
  REQUIRE(client->append("notes", {note(1), note(2), note(3), note(1, 1)}).ok());
  const auto at = [&](int64_t ms) {
    const auto topics = client->topics(LogTime{ms});
    INFO(topics.status().ToString());
    REQUIRE(topics.ok());
    REQUIRE(topics->size() == 1);
    return (*topics)[0].at_time;
  };
  using Offsets = std::vector<Offset>;
  CHECK(at(0) == Offsets{Offset{0}, Offset{0}, Offset{0}});
  CHECK(at(2000) == Offsets{Offset{1}, Offset{1}, Offset{0}});
  CHECK(at(2001) == Offsets{Offset{2}, Offset{1}, Offset{0}});
  CHECK(at(9000) == Offsets{Offset{3}, Offset{1}, Offset{0}});
  CHECK(client->topics()->at(0).at_time.empty());
}

TEST_CASE("a time in the log that cannot be is refused by field") {
  TestServer server;
  server.start();
  for (const int64_t ms : {int64_t{-1}, int64_t{253'402'300'800'000}, INT64_MAX}) {
    const absl::Status status = server.client()->topics(LogTime{ms}).status();
    INFO(status.ToString());
    REQUIRE(absl::IsInvalidArgument(status));
    CHECK(details_of(status).violations.at(0).field == "at_timestamp_ms");
  }
  CHECK(server.client()->topics(LogTime{253'402'300'799'999}).ok());
}

TEST_CASE("a topic can be made again only as it is") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("orders", {2, {}, {}}).ok());
  CHECK(client->create_topic("orders", {2, {}, {}}).ok());
  CHECK(absl::IsAlreadyExists(client->create_topic("orders", {3, {}, {}})));
}

TEST_CASE("topics that cannot be are refused by field") {
  TestServer server;
  server.start();
  const auto client = server.client();
  const auto field = [&](const std::string& name, const log::TopicConfig& config) {
    const absl::Status status = client->create_topic(name, config);
    INFO(status.ToString());
    REQUIRE(absl::IsInvalidArgument(status));
    return details_of(status).violations.at(0).field;
  };
  CHECK(field("a/b", {}) == "name");
  CHECK(field("", {}) == "name");
  CHECK(field("t", {-1, {}, {}}) == "partitions");
  CHECK(field("t", {1, 0, {}}) == "retention_ms");
  CHECK(field("t", {1, {}, -5}) == "retention_bytes");
}

TEST_CASE("a topic is read from the beginning, an offset, a time, with and without limit") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {}).ok());
  REQUIRE(client->append("notes", {note(1), note(2), note(3), note(4)}).ok());
  absl::Status status;
  TopicReadOptions options;
  auto records = read(*client, "notes", options, &status);
  REQUIRE(status.ok());
  CHECK(values_of(records) == "v1 v2 v3 v4 ");
  CHECK(records[1].key == "k2");
  CHECK(records[1].offset == Offset{1});
  CHECK(records[1].timestamp == LogTime{2000});
  options.limit = 2;
  CHECK(values_of(read(*client, "notes", options, &status)) == "v1 v2 ");
  CHECK(status.ok());
  options = {};
  options.from = TopicReadOptions::From::kOffset;
  options.offset = Offset{2};
  CHECK(values_of(read(*client, "notes", options, &status)) == "v3 v4 ");
  options.offset = Offset{99};
  CHECK(values_of(read(*client, "notes", options, &status)).empty());
  CHECK(status.ok());
  options.from = TopicReadOptions::From::kTimestamp;
  options.timestamp = LogTime{1500};
  CHECK(values_of(read(*client, "notes", options, &status)) == "v2 v3 v4 ");
  options.from = TopicReadOptions::From::kEnd;
  CHECK(values_of(read(*client, "notes", options, &status)).empty());
  CHECK(status.ok());
}

TEST_CASE("all partitions are read, each in order, or only the one that is asked for") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {3, {}, {}}).ok());
  std::vector<RecordToSend> sent;
  for (int i = 0; i < 3000; ++i) sent.push_back(note(i, i % 3));
  REQUIRE(client->append("notes", sent).ok());
  absl::Status status;
  TopicReadOptions options;
  const auto records = read(*client, "notes", options, &status);
  REQUIRE(status.ok());
  REQUIRE(records.size() == 3000);
  int64_t next[3] = {0, 0, 0};
  for (const ReceivedRecord& record : records) {
    REQUIRE(record.offset.value == next[record.partition]++);
    REQUIRE(record.value == "v" + std::to_string(record.offset.value * 3 + record.partition));
  }
  options.partition = 1;
  options.limit = 2;
  CHECK(values_of(read(*client, "notes", options, &status)) == "v1 v4 ");
}

TEST_CASE("headers, tombstones and records without keys arrive as they are") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {}).ok());
  RecordToSend sent;
  sent.headers = {{"a", "1"}, {"a", std::string("\xff\x00", 2)}};
  REQUIRE(client->append("notes", {sent}).ok());
  absl::Status status;
  const auto records = read(*client, "notes", {}, &status);
  REQUIRE(records.size() == 1);
  CHECK_FALSE(records[0].key.has_value());
  CHECK_FALSE(records[0].value.has_value());
  CHECK(records[0].headers == sent.headers);
}

TEST_CASE("a follower gets records as they are appended, until its limit") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {2, {}, {}}).ok());
  REQUIRE(client->append("notes", {note(0)}).ok());
  std::atomic<int> received = 0;
  absl::Status status;
  std::vector<ReceivedRecord> records;
  std::thread follower([&] {
    TopicReadOptions options;
    options.follow = true;
    options.limit = 101;
    status = server.client()->read_topic("notes", options, [&](ReceivedRecord record) {
      records.push_back(std::move(record));
      ++received;
      return true;
    });
  });
  for (int i = 1; i <= 100; ++i) {
    REQUIRE(client->append("notes", {note(i, i % 2)}, /*synced=*/false).ok());
    // Every tenth one is waited for: the follower sleeps and has to be woken.
    while (i % 10 == 0 && received < i + 1) std::this_thread::yield();
  }
  follower.join();
  CHECK(status.ok());
  CHECK(records.size() == 101);
}

TEST_CASE("a follower from the end sees only what comes, and may leave when it likes") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {}).ok());
  REQUIRE(client->append("notes", {note(1)}).ok());
  absl::Status status;
  std::vector<ReceivedRecord> records;
  std::atomic<bool> got = false;
  std::thread follower([&] {
    TopicReadOptions options;
    options.from = TopicReadOptions::From::kEnd;
    options.follow = true;
    records = read(*server.client(), "notes", options, &status, 1);
    got = true;
  });
  while (!got) {
    REQUIRE(client->append("notes", {note(2)}, /*synced=*/false).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  follower.join();
  CHECK(status.ok());
  CHECK(values_of(records) == "v2 ");
}

TEST_CASE("a server stops although a follower waits") {
  TestServer server;
  server.start();
  REQUIRE(server.client()->create_topic("notes", {}).ok());
  REQUIRE(server.client()->append("notes", {note(1)}).ok());
  std::atomic<bool> first = false;
  absl::Status status;
  std::thread follower([&] {
    TopicReadOptions options;
    options.follow = true;
    status = server.client()->read_topic("notes", options, [&](ReceivedRecord) {
      first = true;
      return true;
    });
  });
  while (!first) std::this_thread::yield();
  server.server->stop(10);
  follower.join();
  CHECK_FALSE(status.ok());
}

TEST_CASE("reads of topics that cannot be are refused") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("notes", {}).ok());
  absl::Status status;
  read(*client, "note", {}, &status);
  CHECK(absl::IsNotFound(status));
  read(*client, "", {}, &status);
  CHECK(absl::IsInvalidArgument(status));
  TopicReadOptions options;
  options.partition = 1;
  read(*client, "notes", options, &status);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("has the partitions 0 to 0, got 1") != std::string::npos);
  options = {};
  options.limit = -1;
  read(*client, "notes", options, &status);
  CHECK(details_of(status).violations.at(0).field == "limit");
  options = {};
  options.from = TopicReadOptions::From::kOffset;
  options.offset = Offset{-1};
  read(*client, "notes", options, &status);
  CHECK(details_of(status).violations.at(0).field == "offset");
}

TEST_CASE("inspect tells state, generation, place, sizes and, if asked, the checksum") {
  TestServer server;
  server.stats.epochs = 5;
  server.stats.records = 50;
  server.stats.state_bytes = 4096;
  server.stats.last_checkpoint_ms = 1'700'000'000'000;
  server.stats.checkpoint_seconds = 0.25;
  server.stats.outbox_pending = 2;
  server.stats.busy_records = 40;
  server.stats.busy_seconds = 0.5;
  server.stats.views = {{"cards", 3, 1, 2, 4, EventTime{-9}}};
  server.stats.sources = {{"sales", 50, 6, 7, kNoEventTime, {}}};
  ServedProduct restoring;
  restoring.name = "bank";
  server.more_products = {restoring};
  server.start();
  const auto info = server.client()->inspect("", true);
  INFO(info.status().ToString());
  REQUIRE(info.ok());
  CHECK(info->version == "1.2.3-test");
  REQUIRE(info->products.size() == 2);
  const ProductInfo& shop = info->products[0];
  CHECK(shop.name == "shop");
  CHECK(shop.state == "running");
  CHECK(shop.stamp.generation == 3);
  CHECK(shop.stamp.place == server.views.stamp.place);
  CHECK(shop.plan_fingerprint.size() == 16);
  CHECK(shop.checksum == "c0ffee");
  CHECK(shop.stats.epochs == 5);
  CHECK(shop.stats.records == 50);
  CHECK(shop.stats.state_bytes == 4096);
  CHECK(shop.stats.last_checkpoint_ms == 1'700'000'000'000);
  CHECK(shop.stats.checkpoint_seconds == 0.25);
  CHECK(shop.stats.outbox_pending == 2);
  CHECK(shop.stats.busy_records == 40);
  CHECK(shop.stats.busy_seconds == 0.5);
  REQUIRE(shop.stats.views.size() == 1);
  CHECK(shop.stats.views[0].rows == 3);
  CHECK(shop.stats.views[0].late_records == 1);
  CHECK(shop.stats.views[0].errors == 2);
  CHECK(shop.stats.views[0].duplicates == 4);
  CHECK(shop.stats.views[0].watermark == EventTime{-9});
  REQUIRE(shop.stats.sources.size() == 1);
  CHECK(shop.stats.sources[0].dead_letters == 6);
  CHECK(shop.stats.sources[0].lag_records == 7);
  CHECK(shop.stats.sources[0].watermark == kNoEventTime);
  CHECK(info->products[1].state == "restoring");
  CHECK(server.client()->inspect("shop", false)->products.at(0).checksum.empty());
  CHECK(absl::IsNotFound(server.client()->inspect("shpo", false).status()));
}

TEST_CASE("complete asks the product named, and is refused by one that cannot") {
  TestServer server;
  ServedProduct bank = server.product();
  bank.name = "bank";
  int completed = 0;
  bank.complete = [&](runtime::Deadline deadline) {
    ++completed;
    CHECK(deadline > std::chrono::steady_clock::now() + std::chrono::minutes(30));
    return absl::OkStatus();
  };
  server.more_products = {bank};
  server.start();
  const auto client = server.client();
  CHECK(client->complete("bank").ok());
  CHECK(completed == 1);
  const absl::Status refused = client->complete("shop");
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(details_of(refused).reason == "NO_COMPLETE");
  CHECK(absl::IsNotFound(client->complete("shpo")));
  CHECK(completed == 1);
}

TEST_CASE("a failed product is inspected with its reason, and a missing checksum is said") {
  TestServer server;
  server.stats.failure = absl::DataLossError("a gap in sales-0");
  server.start();
  ServedProduct plain = server.product();
  plain.name = "plain";
  plain.checksum = nullptr;
  plain.stats = nullptr;
  server.server->set_product(plain);
  const auto info = server.client()->inspect("shop", false);
  REQUIRE(info.ok());
  CHECK(info->products[0].state == "failed");
  CHECK(info->products[0].failure == "a gap in sales-0");
  const absl::Status status = server.client()->inspect("plain", true).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(details_of(status).reason == "NO_CHECKSUM");
}

}  // namespace
}  // namespace kappa::serve
