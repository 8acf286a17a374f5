#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/log/kafka/kafka_outbox.h"
#include "test/kafka/broker.h"

namespace kappa::test {
namespace {

using log::OutboxHistory;
using log::OutboxMark;
using log::OutboxPublisher;
using log::OutboxRecord;
using Lines = std::vector<std::string>;

constexpr uint64_t kJournal = 0x5f1c;
constexpr int kAttemptsMax = 600;
constexpr std::chrono::milliseconds kPause{50};

void require_ok(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(status.ok());
}

// As the runtime does it: what is Unavailable, such as a topic that was just made, is asked for
// again.
template <typename Attempt>
absl::Status patiently(Attempt attempt) {
  absl::Status status = attempt();
  for (int again = 0; absl::IsUnavailable(status) && again < kAttemptsMax; ++again) {
    std::this_thread::sleep_for(kPause);
    status = attempt();
  }
  return status;
}

absl::Status publish(OutboxPublisher& outbox, const std::vector<OutboxRecord>& records) {
  return patiently([&] { return outbox.publish(records); });
}

// A product of its own on the shared broker.
struct Product {
  std::string broker = shared_broker();
  std::string name = unique_name("shop");
  std::string topic = name + ".out";
  bool transactions = true;

  std::unique_ptr<OutboxPublisher> make() const {
    log::KafkaOutboxOptions options;
    options.brokers = broker;
    options.product = name;
    options.transactions = transactions;
    auto made = log::make_kafka_outbox(options);
    require_ok(made.status());
    return *std::move(made);
  }
  // As after a start from a checkpoint that says this.
  absl::Status recover(OutboxPublisher& outbox, std::optional<uint64_t> published_to = {},
                       uint64_t journal = kJournal) const {
    OutboxHistory history;
    history.journal_id = journal;
    if (published_to) history.mark = OutboxMark{*published_to, {}};
    return patiently([&] { return outbox.recover(history); });
  }
  std::vector<OutboxRecord> records(uint64_t from, uint64_t to) const {
    std::vector<OutboxRecord> records;
    for (uint64_t i = from; i < to; ++i) {
      OutboxRecord record{i, topic, LogTime{1'704'067'200'000}, "k", absl::StrCat("v", i), {}};
      record.headers = {{"kappa-outbox", absl::StrCat(name, "/", i)}, {"kappa-offset", "7"}};
      records.push_back(std::move(record));
    }
    return records;
  }
  Lines values() const { return committed_records(broker, topic, "%s"); }
  std::string place() const {
    return committed_records(broker, name + ".kappa-outbox", "%k %s").back();
  }
};

TEST_CASE("a batch of records and the place are there together, with key, time and headers") {
  KAPPA_NEED_KAFKA();
  const Product product;
  const auto outbox = product.make();
  require_ok(product.recover(*outbox));
  CHECK(outbox->mark().published_to == 0);
  require_ok(publish(*outbox, product.records(0, 2)));
  CHECK(outbox->mark().published_to == 2);
  CHECK(committed_records(product.broker, product.topic, "%k %T %s %h") ==
        Lines{"k 1704067200000 v0 kappa-outbox=" + product.name + "/0,kappa-offset=7",
              "k 1704067200000 v1 kappa-outbox=" + product.name + "/1,kappa-offset=7"});
  CHECK_THAT(product.place(), Catch::StartsWith(product.name + R"( {"published_to":2,)"));
}

TEST_CASE("after a restart what is published is passed over") {
  KAPPA_NEED_KAFKA();
  const Product product;
  {
    const auto outbox = product.make();
    require_ok(product.recover(*outbox));
    require_ok(publish(*outbox, product.records(0, 3)));
  }
  const auto outbox = product.make();
  require_ok(product.recover(*outbox, 1));  // the checkpoint knows less than the topic
  CHECK(outbox->mark().published_to == 3);
  require_ok(publish(*outbox, product.records(1, 5)));
  CHECK(product.values() == Lines{"v0", "v1", "v2", "v3", "v4"});
}

TEST_CASE("records with a null key go round the partitions, tombstones have no value") {
  KAPPA_NEED_KAFKA();
  const Product product;
  // Its records are old; by default they would be deleted at once.
  create_topic(product.broker, product.topic, 2, {{"retention.ms", "-1"}});
  const auto outbox = product.make();
  require_ok(product.recover(*outbox));
  std::vector<OutboxRecord> records = product.records(0, 3);
  records[0].key.reset();
  records[1].key.reset();
  records[2].value.reset();
  require_ok(publish(*outbox, records));
  const Lines lines = committed_records(product.broker, product.topic, "%p %K %S");
  const std::multiset<std::string> found(lines.begin(), lines.end());
  CHECK(found.contains("0 -1 2"));
  CHECK(found.contains("1 -1 2"));
  CHECK((found.contains("0 1 -1") || found.contains("1 1 -1")));
}

TEST_CASE("who has been overtaken publishes no more") {
  KAPPA_NEED_KAFKA();
  const Product product;
  const auto zombie = product.make();
  require_ok(product.recover(*zombie));
  require_ok(publish(*zombie, product.records(0, 1)));
  const auto heir = product.make();
  require_ok(product.recover(*heir, 1));
  // It finds out from the brokers, then from the place.
  const absl::Status ended = publish(*zombie, product.records(1, 2));
  CHECK(absl::IsFailedPrecondition(ended));
  CHECK_THAT(std::string(ended.message()), Catch::Contains("another process has taken over"));
  CHECK(zombie->transaction_aborts() == 1);
  require_ok(publish(*heir, product.records(1, 3)));
  CHECK(product.values() == Lines{"v0", "v1", "v2"});
}

TEST_CASE("a place that was there and is missing is an error") {
  KAPPA_NEED_KAFKA();
  const Product product;
  const auto outbox = product.make();
  const absl::Status missing = product.recover(*outbox, 5);
  CHECK(absl::IsDataLoss(missing));
  CHECK_THAT(std::string(missing.message()),
             Catch::Contains(product.name + ".kappa-outbox no longer says"));
}

TEST_CASE("a place that has gone back is an error") {
  KAPPA_NEED_KAFKA();
  const Product product;
  {
    const auto outbox = product.make();
    require_ok(product.recover(*outbox));
  }
  CHECK(absl::IsDataLoss(product.recover(*product.make(), 5)));
}

TEST_CASE("what another data directory has published is not gone on with") {
  KAPPA_NEED_KAFKA();
  const Product product;
  {
    const auto outbox = product.make();
    require_ok(product.recover(*outbox));
    require_ok(publish(*outbox, product.records(0, 1)));
  }
  const absl::Status other = product.recover(*product.make(), {}, kJournal + 1);
  CHECK(absl::IsFailedPrecondition(other));
  CHECK_THAT(std::string(other.message()), Catch::Contains("from another data directory"));
}

TEST_CASE("a control topic that retention would empty is refused") {
  KAPPA_NEED_KAFKA();
  const Product product;
  create_topic(product.broker, product.name + ".kappa-outbox", 1, {{"cleanup.policy", "delete"}});
  const absl::Status refused = product.recover(*product.make());
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK_THAT(std::string(refused.message()), Catch::Contains("cleanup.policy=compact"));
}

TEST_CASE("a record that the brokers never take is an error for good") {
  KAPPA_NEED_KAFKA();
  const Product product;
  create_topic(product.broker, product.topic, 1, {{"max.message.bytes", "1000"}});
  const auto outbox = product.make();
  require_ok(product.recover(*outbox));
  std::vector<OutboxRecord> records = product.records(0, 1);
  records[0].value = std::string(5000, 'x');
  const absl::Status refused = publish(*outbox, records);
  CHECK(absl::IsInvalidArgument(refused));
  CHECK_THAT(std::string(refused.message()), Catch::Contains(product.topic));
  CHECK(product.values().empty());
}

TEST_CASE("without transactions everything is there at least once") {
  KAPPA_NEED_KAFKA();
  Product product;
  product.transactions = false;
  {
    const auto outbox = product.make();
    require_ok(product.recover(*outbox));
    require_ok(publish(*outbox, product.records(0, 3)));
    CHECK(outbox->transaction_aborts() == 0);
  }
  const auto outbox = product.make();
  require_ok(product.recover(*outbox, 0));
  require_ok(publish(*outbox, product.records(0, 4)));
  CHECK(product.values() == Lines{"v0", "v1", "v2", "v3"});
}

TEST_CASE("a setting that librdkafka does not know is told before anything is published") {
  log::KafkaOutboxOptions options;
  options.brokers = "localhost:1";
  options.settings = {{"no.such.setting", "1"}};
  CHECK(absl::IsInvalidArgument(log::make_kafka_outbox(options).status()));
}

}  // namespace
}  // namespace kappa::test
