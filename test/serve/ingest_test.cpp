// Ingest.Append, through the client.
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"
#include "engine/serve/append_group.h"
#include "engine/serve/sync_group.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

schemas::SourceColumn column(const std::string& name, Type type, bool not_null = false) {
  schemas::SourceColumn made;
  made.name = name;
  made.field = name;
  made.type = type;
  made.not_null = not_null;
  return made;
}

// A server with the topic "sales", declared as a source, and "notes", which nobody declares.
class Ingests : public TestServer {
 public:
  Ingests() {
    views.add_source(
        "sales", {column("card_id", Type::text(), true), column("amount", Type::numeric(12, 2))});
    REQUIRE(log->create_topic("sales", {4, {}, {}}).ok());
    REQUIRE(log->create_topic("notes", {}).ok());
  }
  int64_t records_in(const std::string& topic, int32_t partitions) const {
    int64_t records = 0;
    for (int32_t i = 0; i < partitions; ++i) records += log->range({topic, i})->end.value;
    return records;
  }
};

RecordToSend record(std::optional<std::string> key, std::optional<std::string> value) {
  RecordToSend made;
  made.key = std::move(key);
  made.value = std::move(value);
  return made;
}

constexpr const char* kSale = R"({"card_id": "c1", "amount": 12.50})";

TEST_CASE("appended records can be read with key, value, timestamp, headers and partition") {
  Ingests server;
  server.start();
  RecordToSend sent = record("c1", kSale);
  sent.timestamp = LogTime{1234};
  sent.headers = {{"trace", std::string("\x00\x01", 2)}};
  const auto appended = server.client()->append("sales", {sent, record("c1", kSale)});
  INFO(appended.status().ToString());
  REQUIRE(appended.ok());
  REQUIRE(appended->size() == 2);
  CHECK((*appended)[0].partition == log::partition_for_key("c1", 4));
  CHECK((*appended)[1].partition == (*appended)[0].partition);
  CHECK((*appended)[1].offset > (*appended)[0].offset);

  auto reader = server.log->open_reader({"sales", (*appended)[0].partition}, Offset{0});
  const RecordBlock block = *(*reader)->read(1 << 20);
  REQUIRE(block.records.size() >= 1);
  CHECK(block.records[0].key_view() == "c1");
  CHECK(block.records[0].value_view() == kSale);
  CHECK(block.records[0].timestamp == LogTime{1234});
  CHECK(parse_headers(block.records[0]) == sent.headers);
}

TEST_CASE("a record may have no key, no payload, and a partition of its own") {
  Ingests server;
  server.start();
  RecordToSend placed = record(std::nullopt, kSale);
  placed.partition = 3;
  const auto appended = server.client()->append("sales", {placed});
  REQUIRE(appended.ok());
  CHECK((*appended)[0].partition == 3);
  REQUIRE(server.client()->append("notes", {record("k", std::nullopt)}).ok());
  auto reader = server.log->open_reader({"notes", 0}, Offset{0});
  const RecordBlock block = *(*reader)->read(1 << 20);
  REQUIRE(block.records.size() == 1);
  CHECK_FALSE(block.records[0].value_view().has_value());
}

TEST_CASE("what is acknowledged as synced is durable") {
  Ingests server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->append("notes", {record("a", "1")}, /*synced=*/true).ok());
  CHECK(server.log->range({"notes", 0})->durable_end == Offset{1});
  REQUIRE(client->append("notes", {record("a", "2")}, /*synced=*/false).ok());
  CHECK(server.log->range({"notes", 0})->end == Offset{2});
  CHECK(server.log->range({"notes", 0})->durable_end == Offset{1});
}

TEST_CASE(
    "records that a source cannot decode are refused by index and reason, and nothing is "
    "appended") {
  Ingests server;
  server.start();
  const auto appended = server.client()->append(
      "sales", {record("c1", kSale), record("c2", R"({"card_id": "c2", "amount": "much"})"),
                record("c3", kSale), record("c4", "not json"), record("c5", std::nullopt),
                record("c6", R"({"amount": 1})")});
  const absl::Status& status = appended.status();
  INFO(status.ToString());
  REQUIRE(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("records[1] does not meet what product shop declares of topic "
                               "sales") != std::string::npos);
  CHECK(status.ToString().find("amount") != std::string::npos);
  CHECK(status.ToString().find("(and 3 more)") != std::string::npos);
  CHECK(status.ToString().find("nothing was appended") != std::string::npos);
  const ErrorDetails details = details_of(status);
  CHECK(details.reason == "CONTRACT_VIOLATION");
  REQUIRE(details.violations.size() == 4);
  CHECK(details.violations[0].field == "records[1].value");
  CHECK(details.violations[1].field == "records[3].value");
  CHECK(details.violations[2].field == "records[4].value");
  CHECK(details.violations[3].field == "records[5].value");
  CHECK(server.records_in("sales", 4) == 0);
}

TEST_CASE("undeclared fields and missing nullable ones meet the contract") {
  Ingests server;
  server.start();
  CHECK(server.client()
            ->append("sales", {record("c", R"({"card_id": "c", "colour": "blue"})"),
                               record("c", R"({"card_id": "c", "amount": null})")})
            .ok());
}

TEST_CASE("a record without a payload deletes by its key, where rows are kept by key") {
  Ingests server;
  server.views.add_source("rules", {column("rule_id", Type::text(), true)}, {0}, /*upsert=*/true);
  REQUIRE(server.log->create_topic("rules", {}).ok());
  server.start();
  const auto client = server.client();
  CHECK(client->append("rules", {record("r1", R"({"rule_id": "r1"})"), record("r1", {})}).ok());
  const auto refused = client->append("rules", {record({}, {})});
  CHECK(refused.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(server.records_in("rules", 1) == 2);
}

TEST_CASE("topics that nobody declares take any bytes") {
  Ingests server;
  server.start();
  const std::string bytes("\x00\xff not utf-8", 12);
  REQUIRE(server.client()->append("notes", {record(bytes, bytes)}).ok());
  auto reader = server.log->open_reader({"notes", 0}, Offset{0});
  const RecordBlock block = *(*reader)->read(1 << 20);
  CHECK(block.records.at(0).value_view() == bytes);
  CHECK(block.records.at(0).key_view() == bytes);
}

TEST_CASE("a product that is set while serving brings its contract") {
  Ingests server;
  server.start();
  FakeViews stricter;
  stricter.add_source("notes", {column("id", Type::bigint(), true)});
  ServedProduct product;
  product.name = "notes";
  product.reader = &stricter;
  server.server->set_product(product);
  CHECK(absl::IsInvalidArgument(
      server.client()->append("notes", {record("k", "free text")}).status()));
  CHECK(server.client()->append("notes", {record("k", R"({"id": 1})")}).ok());
  server.server->stop();
}

TEST_CASE("appends that make no sense are refused by field") {
  Ingests server;
  server.start();
  const auto client = server.client();
  const absl::Status unknown = client->append("sale", {record("c", kSale)}).status();
  CHECK(absl::IsNotFound(unknown));
  CHECK(details_of(unknown).reason == "TOPIC_NOT_FOUND");
  CHECK(absl::IsInvalidArgument(client->append("", {record("c", kSale)}).status()));
  RecordToSend odd = record("c", kSale);
  odd.timestamp = LogTime{-1};
  absl::Status status = client->append("sales", {record("c", kSale), odd}).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(details_of(status).violations.at(0).field == "records[1].timestamp_ms");
  odd = record("c", kSale);
  odd.partition = -1;
  status = client->append("sales", {odd}).status();
  CHECK(details_of(status).violations.at(0).field == "records[0].partition");
  odd.partition = 4;
  status = client->append("sales", {odd}).status();
  INFO(status.ToString());
  CHECK_FALSE(status.ok());
  CHECK(server.records_in("sales", 4) == 0);
}

TEST_CASE("many callers append at once and lose nothing") {
  Ingests server;
  server.start();
  constexpr int kCallers = 6;
  std::vector<std::thread> callers;
  callers.reserve(kCallers);
  std::atomic<int> acknowledged = 0;
  for (int t = 0; t < kCallers; ++t) {
    callers.emplace_back([&, t] {
      const auto client = server.client();
      for (int i = 0; i < 50; ++i) {
        const std::string key = std::to_string(t) + "-" + std::to_string(i);
        const std::string value = R"({"card_id": ")" + key + R"(", "amount": 1})";
        if (client->append("sales", {record(key, value), record(key, value)}).ok()) {
          acknowledged += 2;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(acknowledged == 600);
  CHECK(server.records_in("sales", 4) == 600);
}

// A log whose sync fails.
class UnsyncableLog final : public log::Log {
 public:
  absl::StatusOr<std::vector<log::TopicInfo>> topics() const override { return infos_; }
  absl::StatusOr<log::TopicInfo> topic(const std::string& name) const override {
    return log::TopicInfo{name, {}};
  }
  absl::Status create_topic(const std::string&, const log::TopicConfig&) override {
    return absl::OkStatus();
  }
  absl::StatusOr<log::PartitionRange> range(const TopicPartition&) const override {
    return log::PartitionRange{};
  }
  absl::StatusOr<Offset> offset_for_time(const TopicPartition&, LogTime) const override {
    return Offset{};
  }
  absl::StatusOr<std::unique_ptr<log::LogReader>> open_reader(const TopicPartition&,
                                                              Offset) const override {
    return absl::UnavailableError("no reader");
  }
  absl::StatusOr<std::vector<log::AppendedAt>> append(
      const std::string&, std::span<const log::RecordToAppend> records) override {
    if (full) return absl::ResourceExhaustedError("the disk is full");
    return std::vector<log::AppendedAt>(records.size());
  }
  absl::Status sync() override {
    ++syncs;
    return absl::DataLossError("fsync failed");
  }
  std::shared_ptr<void> on_append(std::function<void()>) override { return nullptr; }
  absl::StatusOr<std::string> identity() const override { return "unsyncable"; }

  bool full = false;
  std::atomic<int> syncs = 0;

 private:
  std::vector<log::TopicInfo> infos_;
};

TEST_CASE("an append that cannot be synced is not acknowledged") {
  UnsyncableLog log;
  auto server = Server::start(test_options(), {}, &log);
  REQUIRE(server.ok());
  ClientOptions options;
  options.server = "127.0.0.1:" + std::to_string((*server)->port());
  const auto client = *Client::make(options);
  const absl::Status status = client->append("t", {record("a", "1")}).status();
  CHECK(absl::IsDataLoss(status));
  CHECK(status.message() == "fsync failed");
  CHECK(client->append("t", {record("a", "1")}, /*synced=*/false).ok());
  log.full = true;
  CHECK(absl::IsResourceExhausted(client->append("t", {record("a", "1")}).status()));
}

TEST_CASE("single records that are appended together are where each is told it is") {
  Ingests server;
  std::mutex mutex;
  std::map<std::string, log::AppendedAt> told;
  {
    AppendGroup group(server.log.get());
    for (int i = 0; i < 500; ++i) {
      const std::string key = "k" + std::to_string(i);
      group.append(i % 3 == 0 ? "notes" : "sales", key, "v" + key,
                   [&, key](const absl::StatusOr<log::AppendedAt>& at) {
                     REQUIRE(at.ok());
                     const std::lock_guard lock(mutex);
                     told.emplace(key, *at);
                   });
    }
  }
  REQUIRE(told.size() == 500);
  for (const auto& [key, at] : told) {
    const std::string topic = std::stoi(key.substr(1)) % 3 == 0 ? "notes" : "sales";
    const auto reader = *server.log->open_reader({topic, at.partition}, at.offset);
    const auto block = reader->read(1);
    REQUIRE(block.ok());
    REQUIRE(!block->records.empty());
    CHECK(block->records[0].offset == at.offset);
    CHECK(block->records[0].key_view() == key);
    CHECK(block->records[0].value_view() == "v" + key);
  }
}

TEST_CASE("a record that cannot be appended with others is said not to be, to each") {
  UnsyncableLog log;
  log.full = true;
  std::atomic<int> refused = 0;
  {
    AppendGroup group(&log);
    for (int i = 0; i < 10; ++i) {
      group.append("t", "k", "v", [&](const absl::StatusOr<log::AppendedAt>& at) {
        if (absl::IsResourceExhausted(at.status())) ++refused;
      });
    }
  }
  CHECK(refused == 10);
}

TEST_CASE("those that wait for one sync are served by the next one together") {
  UnsyncableLog log;
  std::atomic<int> answered = 0;
  {
    SyncGroup group(&log);
    for (int i = 0; i < 100; ++i) {
      group.after_sync([&](const absl::Status& status) {
        if (absl::IsDataLoss(status)) ++answered;
      });
    }
  }
  CHECK(answered == 100);
  CHECK(log.syncs >= 1);
  CHECK(log.syncs <= 100);
}

}  // namespace
}  // namespace kappa::serve
