// The binary on a real broker.

#include <algorithm>
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/kafka/broker.h"

namespace kappa::cli {
namespace {

constexpr int kSales = 200;

std::string product_over(const std::string& topic) {
  return absl::StrCat(
      "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2), ts timestamptz)\n"
      "SERVER log OPTIONS (topic '",
      topic,
      "', format 'json', event_time 'ts', out_of_orderness '1 minute');\n"
      "CREATE MATERIALIZED VIEW spent AS SELECT card, sum(amount) AS amount FROM sales GROUP BY "
      "card;\n");
}

// As `kappa produce --json` takes them.
std::string sales() {
  std::string lines;
  for (int i = 0; i < kSales; ++i) {
    const std::string time =
        absl::StrCat("2026-01-01T10:0", i / 60, ":", absl::Dec(i % 60, absl::kZeroPad2), "Z");
    absl::StrAppend(&lines, R"({"key": "c)", i % 9, R"(", "timestamp": ")", time,
                    R"(", "value": {"card": "c)", i % 9, R"(", "amount": )", i, R"(.25, "ts": ")",
                    time, "\"}}\n");
  }
  return lines;
}

// Serves the product until all sales are applied, and stops it. Returns its checksum.
std::string checksum_of_run(const Scratch& scratch, const std::string& product,
                            const std::string& topic, const std::string& data,
                            const std::vector<std::string>& log) {
  std::vector<std::string> words = {"serve",
                                    "--output",
                                    "json",
                                    "--data",
                                    data,
                                    "--product",
                                    scratch.path(product),
                                    "--listen",
                                    "127.0.0.1:0",
                                    "--http",
                                    "127.0.0.1:0",
                                    "--partitions",
                                    "2"};
  words.insert(words.end(), log.begin(), log.end());
  Process serve(scratch.directory(), words);
  if (!serve.wait_for_output("\n")) FAIL(serve.wait().err);
  const Ended produced = kappa({"produce", topic, "--json", "--data", data}, sales());
  INFO(produced.err);
  CHECK(produced.code == 0);
  nlohmann::json shown;
  for (int i = 0; i < 600; ++i) {
    const Ended ended = kappa({"query", "SELECT count(*) AS n, sum(amount) AS total FROM spent",
                               "--output", "json", "--data", data});
    if (absl::StrContains(ended.out, "19950.00")) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  shown = nlohmann::json::parse(
      kappa({"inspect", "--checksum", "--output", "json", "--data", data}).out);
  serve.signal(SIGTERM);
  const Ended ended = serve.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  return shown["products"][0]["checksum"];
}

}  // namespace

TEST_CASE("kappa serve gives the same checksum on Kafka as on its own log, and goes on there") {
  KAPPA_NEED_KAFKA();
  const Scratch scratch;
  const std::string topic = test::unique_name("sales");
  const std::string shop = test::unique_name("shop");
  scratch.file(shop + "/product.sql", product_over(topic));
  const std::string address = absl::StrCat("kafka://", test::shared_broker());
  const std::string embedded = checksum_of_run(scratch, shop, topic, scratch.path("embedded"), {});
  const std::string data = scratch.path("kafka");
  CHECK(checksum_of_run(scratch, shop, topic, data, {"--log", address}) == embedded);
  CHECK(test::committed_records(test::shared_broker(), topic, "%o").size() == kSales);

  // Without a server the directory says where the log is.
  const Ended query = kappa({"query", "SELECT count(*) AS n FROM spent", "--data", data});
  INFO(query.err);
  CHECK(query.out == "n\n9\n");
  const Ended topics = kappa({"topics", "--data", data});
  INFO(topics.err);
  CHECK(absl::StrContains(topics.out, topic));
  const Ended consumed = kappa({"consume", topic, "--data", data});
  CHECK(std::count(consumed.out.begin(), consumed.out.end(), '\n') == kSales);
  // And no other log is taken for it.
  const Ended other = kappa({"serve", "--data", data, "--log", "embedded"});
  CHECK(other.code == 1);
  CHECK(absl::StrContains(other.err, "--log embedded is embedded, but the state in"));
}

TEST_CASE("topics are made on Kafka before a product runs for the first time") {
  KAPPA_NEED_KAFKA();
  const Scratch scratch;
  const std::string topic = test::unique_name("sales");
  const std::string product = test::unique_name("shop");
  const std::string control = absl::StrCat(product, ".kappa-outbox");
  scratch.file(absl::StrCat(product, "/product.sql"), product_over(topic));
  const auto create = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {
        "topics", "create", "--product", scratch.path(product), "--data", scratch.path("new")};
    words.insert(words.end(), more.begin(), more.end());
    return kappa(words);
  };
  const std::string address = absl::StrCat("kafka://", test::shared_broker());
  const Ended shown = create({"--log", address});
  INFO(shown.err);
  CHECK(shown.code == 2);
  CHECK(absl::StrContains(shown.out, absl::StrCat("+\t", topic)));
  CHECK(
      absl::StrContains(shown.out, absl::StrCat("+\t", control, "\t", product,
                                                ": the outbox's place\t1\tthe last of each key")));
  const Ended too_many = create({"--yes", "--replication", "7"});
  CHECK(too_many.code == 1);
  CHECK(absl::StrContains(too_many.err, "eplication"));
  CHECK(create({"--yes", "--partitions", "3", "--replication", "1"}).code == 0);
  const Ended there = create({"--yes"});
  CHECK(there.code == 0);
  CHECK(absl::StrContains(there.out, absl::StrCat("=\t", topic)));
  CHECK(absl::StrContains(there.out, absl::StrCat("=\t", control)));
  const Ended topics = kappa({"topics", "--data", scratch.path("new")});
  CHECK(absl::StrContains(topics.out, absl::StrCat(topic, "\t3\t0\t")));
  // The outbox's place is compacted, so doctor has nothing to say of it.
  const auto outbox = [&](const std::string& of) {
    const Ended ended = kappa({"doctor", "--product", scratch.path(of), "--data",
                               scratch.path("new"), "--output", "json"});
    INFO(ended.err);
    std::vector<std::string> found;
    for (const nlohmann::json& finding : nlohmann::json::parse(ended.out)) {
      if (finding["check"] == "compaction") found.push_back(finding["what"]);
      CHECK(finding["check"] != "access");
    }
    return found;
  };
  CHECK(outbox(product).empty());
  const std::string other = test::unique_name("shop");
  scratch.file(absl::StrCat(other, "/product.sql"), product_over(topic));
  test::create_topic(test::shared_broker(), absl::StrCat(other, ".kappa-outbox"), 1,
                     {{"cleanup.policy", "delete"}});
  const std::vector<std::string> found = outbox(other);
  REQUIRE(found.size() == 1);
  CHECK(absl::StrContains(found[0], absl::StrCat(other, ".kappa-outbox")));
  CHECK(absl::StrContains(found[0], "cleanup.policy lets retention delete that"));
}

TEST_CASE("a changelog that one product writes is the same view in another that reads it") {
  KAPPA_NEED_KAFKA();
  const Scratch scratch;
  const std::string topic = test::unique_name("sales");
  const std::string changelog = topic + ".spent";
  const std::string broker = test::shared_broker();
  const std::string shop = test::unique_name("shop");
  scratch.file(shop + "/product.sql",
               absl::StrCat(product_over(topic),
                            "CREATE FOREIGN TABLE out (card text, total numeric(38,2), PRIMARY KEY "
                            "(card)) SERVER log OPTIONS (topic '",
                            changelog,
                            "', mode 'upsert');\n"
                            // Every card's amount leaves the rows, and comes back.
                            "INSERT INTO out SELECT card, amount FROM spent WHERE CAST(amount AS "
                            "integer) % 2 = 0;\n"));
  scratch.file("other/product.sql",
               absl::StrCat("CREATE FOREIGN TABLE copied (card text, total numeric(38,2), PRIMARY "
                            "KEY (card)) SERVER log OPTIONS (topic '",
                            changelog, "', mode 'upsert');\n"));
  const std::string data = scratch.path("data");
  // Nothing is compacted while it is looked at.
  test::create_topic(broker, changelog, 1, test::kCompactedSomeDay);
  const Ended made = kappa({"topics", "create", "--product", scratch.path(shop), "--data", data,
                            "--log", absl::StrCat("kafka://", broker), "--yes"});
  INFO(made.err);
  REQUIRE(made.code == 0);
  CHECK(absl::StrContains(made.out, absl::StrCat("=\t", changelog)));
  Process serve(scratch.directory(), {"serve", "--output", "json", "--data", data, "--product",
                                      scratch.path(shop), "--product", scratch.path("other"),
                                      "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(serve.wait_for_output("\n"));
  REQUIRE(kappa({"produce", topic, "--json", "--data", data}, sales()).code == 0);
  const auto query = [&](const std::string& product, const std::string& sql) {
    return kappa({"query", sql, "--data", data, "--product", product}).out;
  };
  std::string rows;
  std::string copied;
  for (int i = 0; i < 600; ++i) {
    if (absl::StrContains(query(shop, "SELECT sum(amount) AS total FROM spent"), "19950.00")) {
      rows = query(shop,
                   "SELECT card, amount AS total FROM spent WHERE CAST(amount AS integer) % 2 = 0 "
                   "ORDER BY card");
      copied = query("other", "SELECT card, total FROM copied ORDER BY card");
      if (copied == rows) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(std::count(rows.begin(), rows.end(), '\n') > 1);
  CHECK(copied == rows);

  const std::vector<std::string> records = test::committed_records(broker, changelog, "%k %S");
  const auto tombstones = std::count_if(records.begin(), records.end(), [](const auto& record) {
    return absl::StrContains(record, " -1");
  });
  CHECK(tombstones > 9);
  const Ended consumed = kappa({"consume", changelog, "--data", data});
  CHECK(absl::StrContains(consumed.out, "NULL (deletes c1)\n"));

  const Ended doctor = kappa({"doctor", "--data", data});
  CHECK_FALSE(absl::StrContains(doctor.out + doctor.err, "compact"));
  serve.signal(SIGTERM);
  CHECK(serve.wait().code == 0);
}

TEST_CASE("doctor names a changelog's topic that is not compacted") {
  KAPPA_NEED_KAFKA();
  const Scratch scratch;
  const std::string topic = test::unique_name("sales");
  const std::string broker = test::shared_broker();
  test::create_topic(broker, topic, 1);
  test::create_topic(broker, topic + ".spent", 1, {{"retention.ms", "3600000"}});
  scratch.file("shop/product.sql",
               absl::StrCat(product_over(topic),
                            "CREATE FOREIGN TABLE out (card text, total numeric(38,2), PRIMARY KEY "
                            "(card)) SERVER log OPTIONS (topic '",
                            topic, ".spent', mode 'upsert');\n",
                            "INSERT INTO out SELECT card, amount FROM spent;\n"));
  const std::string address = absl::StrCat("kafka://", broker);
  const Ended made = kappa({"topics", "create", "--product", scratch.path("shop"), "--data",
                            scratch.path("data"), "--log", address, "--yes"});
  CHECK(absl::StrContains(made.out, "would be compacted"));
  const Ended doctor =
      kappa({"doctor", "--data", scratch.path("data"), "--product", scratch.path("shop")});
  INFO(doctor.out << doctor.err);
  CHECK(doctor.code == 1);
  CHECK(absl::StrContains(doctor.out,
                          absl::StrCat("topic ", topic, ".spent, output of product shop by key")));
  CHECK(absl::StrContains(doctor.out, "--add-config cleanup.policy=compact"));
}

TEST_CASE("an address or a property that cannot be is told before anything is made") {
  const Scratch scratch;
  scratch.file("shop/product.sql", product_over("sales"));
  const auto serve = [&](const std::vector<std::string>& log) {
    std::vector<std::string> words = {"serve", "--data", scratch.path("data"), "--product",
                                      scratch.path("shop")};
    words.insert(words.end(), log.begin(), log.end());
    return kappa(words);
  };
  CHECK(absl::StrContains(serve({"--log", "kafka:/one"}).err, "expected kafka://HOST:PORT"));
  const std::string config =
      scratch.file("kafka.properties", "sasl.password=hunter2\nnonsense=1\n");
  const Ended wrong = serve({"--log", "kafka://127.0.0.1:1", "--kafka-config", config});
  CHECK(absl::StrContains(wrong.err, "kafka.properties:2: nonsense: No such"));
  CHECK_FALSE(absl::StrContains(wrong.err, "hunter2"));
}

}  // namespace kappa::cli
