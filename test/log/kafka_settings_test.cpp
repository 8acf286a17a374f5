#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>
#include <librdkafka/rdkafka.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/log/kafka/client.h"
#include "engine/log/kafka/settings.h"

namespace kappa::log {
namespace {

// A directory for the files of one test.
class Files {
 public:
  Files() {
    std::string path = (std::filesystem::temp_directory_path() / "kappa-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    directory_ = path;
  }
  ~Files() { std::filesystem::remove_all(directory_); }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

 private:
  std::string directory_;
};

std::string message_of(const absl::Status& status) {
  CHECK(absl::IsInvalidArgument(status));
  return std::string(status.message());
}

}  // namespace

TEST_CASE("an address of Kafka is a list of brokers") {
  CHECK(*parse_kafka_address("kafka://one:9092") == "one:9092");
  CHECK(*parse_kafka_address("kafka://one:9092,[::1]:9093") == "one:9092,[::1]:9093");
  for (const char* wrong : {"embedded2", "kafka://", "kafka://one", "kafka://one:0",
                            "kafka://one:70000", "kafka://one:9092/topic", "kafka://one:9092,"}) {
    INFO(wrong);
    CHECK(absl::StrContains(message_of(parse_kafka_address(wrong).status()),
                            "expected kafka://HOST:PORT"));
  }
}

TEST_CASE("an address with a password in it is refused and not shown") {
  const std::string message =
      message_of(parse_kafka_address("kafka://user:hunter2@one:9092").status());
  CHECK_FALSE(absl::StrContains(message, "hunter2"));
  CHECK(absl::StrContains(message, "--kafka-config"));
}

TEST_CASE("properties of librdkafka are read from a file, secrets from files of their own") {
  const Files files;
  const std::string secret = files.write("password", "hunter2\n");
  const std::string config = files.write(
      "kafka.properties", absl::StrCat("# how to get in\n\nsecurity.protocol = sasl_ssl\n"
                                       "sasl.username=kappa\nsasl.password.file=",
                                       secret, "\n"));
  const auto settings = read_kafka_config(config);
  INFO(settings.status());
  REQUIRE(settings.ok());
  CHECK(*settings == KafkaSettings{{"security.protocol", "sasl_ssl"},
                                   {"sasl.username", "kappa"},
                                   {"sasl.password", "hunter2"}});
}

TEST_CASE("a property that does not exist is named with file and line") {
  const Files files;
  const std::string config = files.write("kafka.properties", "\nsecurity.protocoll=ssl\n");
  const std::string message = message_of(read_kafka_config(config).status());
  CHECK(absl::StrContains(message, "kafka.properties:2: security.protocoll: No such"));
}

TEST_CASE("what kappa's answers depend on cannot be configured") {
  const Files files;
  for (const char* name : {"isolation.level", "enable.auto.commit", "auto.offset.reset", "group.id",
                           "transactional.id", "bootstrap.servers", "enable.idempotence"}) {
    const std::string config = files.write("kafka.properties", absl::StrCat(name, "=x\n"));
    CHECK(absl::StrContains(message_of(read_kafka_config(config).status()),
                            absl::StrCat(":1: ", name, " is set by kappa itself")));
  }
}

TEST_CASE("no error shows the value of a secret") {
  const Files files;
  CHECK(is_secret("sasl.password"));
  CHECK(is_secret("ssl.key.password"));
  CHECK(is_secret("ssl.key.pem"));
  CHECK(is_secret("sasl.oauthbearer.client.secret"));
  CHECK_FALSE(is_secret("sasl.username"));
  const std::string config =
      files.write("kafka.properties", "ssl.key.pem=hunter2\nssl.keystore.password\n");
  const std::string message = message_of(read_kafka_config(config).status());
  CHECK_FALSE(absl::StrContains(message, "hunter2"));
  CHECK(absl::StrContains(
      message_of(read_kafka_config(files.write("k", "sasl.password.file=/no/such")).status()),
      "k:1: cannot read a secret from /no/such"));
}

TEST_CASE("a file's properties go before the defaults, never before what must be") {
  const auto conf =
      make_conf(KafkaRole::kConsumer, "one:9092",
                {{"fetch.wait.max.ms", "7"}, {"isolation.level", "read_uncommitted"}});
  REQUIRE(conf.ok());
  char value[64];
  const auto get = [&](const char* name) {
    size_t size = sizeof(value);
    REQUIRE(rd_kafka_conf_get(*conf, name, value, &size) == RD_KAFKA_CONF_OK);
    return std::string(value);
  };
  CHECK(get("fetch.wait.max.ms") == "7");
  CHECK(get("isolation.level") == "read_committed");
  CHECK(get("check.crcs") == "true");
  rd_kafka_conf_destroy(*conf);
}

TEST_CASE("statistics tell who is out of reach and what transactions hold back") {
  const ClientStatistics statistics = parse_statistics(R"({
    "tx": 9, "rx_bytes": 100, "tx_bytes": 50,
    "brokers": {
      "a:1/1": {"name": "a:1/1", "nodeid": 1, "state": "UP", "waitresp_cnt": 1, "rxidle": 90000, "txerrs": 1},
      "b:1/2": {"name": "b:1/2", "nodeid": 2, "state": "TRY_CONNECT", "req_timeouts": 2},
      "c:1/3": {"name": "c:1/3", "nodeid": 3, "state": "UP", "waitresp_cnt": 1, "rxidle": 7000000}},
    "topics": {"t": {"topic": "t", "partitions": {
      "0": {"partition": 0, "leader": 1, "desired": true, "lo_offset": 3, "hi_offset": 10, "ls_offset": 8, "fetchq_cnt": 2, "fetchq_size": 20},
      "1": {"partition": 1, "leader": 2, "desired": true},
      "2": {"partition": 2, "leader": 3, "desired": true},
      "3": {"partition": 3, "leader": -1, "desired": true},
      "4": {"partition": 4, "leader": -1, "desired": false}}}}})");
  CHECK(statistics.requests == 9);
  CHECK(statistics.request_errors == 3);
  REQUIRE(statistics.partitions.size() == 4);
  const auto partition = [&](int32_t p) { return statistics.partitions.at({"t", p}); };
  CHECK(partition(0).out_of_reach.empty());
  CHECK(partition(0).log_start == 3);
  CHECK(partition(0).high_watermark - partition(0).last_stable == 2);
  CHECK(partition(0).queued_records == 2);
  CHECK(partition(1).out_of_reach == "its leader b:1/2 is out of reach (TRY_CONNECT)");
  CHECK(partition(2).out_of_reach == "its leader c:1/3 has not answered for 7 s");
  CHECK(partition(3).out_of_reach == "it has no leader");
}

TEST_CASE("statistics that are no JSON count for nothing") {
  CHECK(parse_statistics("{\"brokers\": [").partitions.empty());
  CHECK(parse_statistics("[1]").requests == 0);
}

}  // namespace kappa::log
