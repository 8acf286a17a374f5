// The binary on a broker that lets nobody in without a name, and nobody do what no ACL allows.

#include "test/kafka/secured.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
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

using test::allow;
using test::SecuredBroker;
using Words = std::vector<std::string>;

// A product of a name of its own, with a source and an output.
struct Shop {
  explicit Shop(const Scratch& scratch)
      : name(test::unique_name("shop")), sales(name + "-sales"), big(name + "-big") {
    directory = scratch.path(name);
    scratch.file(
        name + "/product.sql",
        absl::StrCat(
            "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2), ts timestamptz)\n"
            "SERVER log OPTIONS (topic '",
            sales,
            "', format 'json', event_time 'ts');\n"
            "CREATE FOREIGN TABLE big (card text, amount numeric(12,2))\n"
            "SERVER log OPTIONS (topic '",
            big,
            "', format 'json');\n"
            "CREATE MATERIALIZED VIEW spent AS SELECT card, sum(amount) AS amount FROM sales GROUP "
            "BY card;\n"
            "INSERT INTO big SELECT card, amount FROM sales WHERE amount > 100;\n"));
  }

  void make_topics(const SecuredBroker& broker) const {
    for (const std::string& topic : {sales, big}) {
      test::create_topic(broker.plain, topic, 1, {{"retention.ms", "-1"}});
    }
    test::create_topic(broker.plain, control(), 1, {{"cleanup.policy", "compact"}});
  }
  std::string control() const { return name + ".kappa-outbox"; }
  std::string transactional_id() const { return "kappa." + name; }

  std::string name;
  std::string sales;
  std::string big;
  std::string directory;
};

// `serve` of a product, over a listener of the secured broker.
struct Serving {
  Serving(const Scratch& scratch, const Shop& shop, const std::string& bootstrap,
          const std::string& properties)
      : data(scratch.path(test::unique_name("data"))),
        config(scratch.file(test::unique_name("kafka"), properties)),
        process(scratch.directory(),
                {"serve", "--output", "json", "--data", data, "--product", shop.directory,
                 "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log",
                 absl::StrCat("kafka://", bootstrap), "--kafka-config", config}) {}

  std::string data;
  std::string config;
  Process process;
};

constexpr char kSales[] = R"({"card": "a", "amount": 50, "ts": "2026-01-01T10:00:00Z"})"
                          "\n"
                          R"({"card": "a", "amount": 250, "ts": "2026-01-01T10:01:00Z"})"
                          "\n";

template <typename Condition>
bool eventually(Condition holds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

void check_keeps_secret(const SecuredBroker& broker, const Ended& ended) {
  CHECK_FALSE(absl::StrContains(ended.out, broker.password()));
  CHECK_FALSE(absl::StrContains(ended.err, broker.password()));
}

// What a server that cannot do its work ends with. It ends by itself.
void check_ends_with(const SecuredBroker& broker, Serving& serving, const Words& said) {
  const Ended ended = serving.process.wait();
  INFO(ended.out << ended.err);
  CHECK(ended.code == 1);
  for (const std::string& words : said) CHECK(absl::StrContains(ended.err, words));
  check_keeps_secret(broker, ended);
}

void check_reads_and_publishes(Serving& serving, const SecuredBroker& broker, const Shop& shop) {
  const bool ready = serving.process.wait_for_output("\n");
  if (!ready) FAIL(serving.process.wait().err);
  test::kcat(broker.plain, {"-P", "-t", shop.sales}, kSales);
  CHECK(eventually(
      [&] { return test::committed_records(broker.plain, shop.big, "%s").size() == 1; }));
  const Ended query =
      kappa({"query", "SELECT amount FROM spent", "--output", "json", "--data", serving.data});
  INFO(query.err);
  CHECK(absl::StrContains(query.out, "300.00"));
  check_keeps_secret(broker, query);
  const Ended inspected = kappa({"inspect", "--output", "json", "--data", serving.data});
  check_keeps_secret(broker, inspected);
  serving.process.signal(SIGTERM);
  const Ended ended = serving.process.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  check_keeps_secret(broker, ended);
  CHECK_FALSE(absl::StrContains(ended.err, "error"));
  CHECK_FALSE(absl::StrContains(ended.err, "group"));
  // What the directory remembers of the log.
  CHECK_FALSE(absl::StrContains(text_of_file(serving.data + "/LOG"), broker.password()));
}

}  // namespace

TEST_CASE("a product reads and publishes over SASL_SSL, with its password in a file") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  allow(broker, {"--topic", shop.sales, "--topic", shop.control(), "--group", shop.name,
                 "--operation", "Read"});
  allow(broker, {"--topic", shop.big, "--topic", shop.control(), "--transactional-id",
                 shop.transactional_id(), "--operation", "Write"});
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  check_reads_and_publishes(serving, broker, shop);
}

TEST_CASE("a client's certificate will do instead of a password") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  const std::string client = "User:CN=kappa-client";
  allow(broker,
        {"--topic", shop.name, "--group", shop.name, "--resource-pattern-type", "prefixed",
         "--operation", "Read"},
        client);
  allow(broker,
        {"--topic", shop.name, "--transactional-id", shop.transactional_id(),
         "--resource-pattern-type", "prefixed", "--operation", "Write"},
        client);
  Serving serving(scratch, shop, broker.mutual, broker.mutual_properties());
  check_reads_and_publishes(serving, broker, shop);
}

TEST_CASE("a wrong password ends the start at once, and says which properties to look at") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  const std::string wrong = scratch.file("wrong", "not-the-password-of-anybody\n");
  Serving serving(scratch, shop, broker.sasl,
                  broker.properties(wrong, broker.directory + "/tls/ca.pem"));
  check_ends_with(broker, serving, {"SASL authentication error", "see sasl.mechanism"});
  CHECK_FALSE(absl::StrContains(serving.process.wait().err, "not-the-password"));
}

TEST_CASE(
    "brokers whose certificate somebody else has signed are refused, and ssl.ca.location named") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  Serving serving(
      scratch, shop, broker.sasl,
      broker.properties(broker.directory + "/password", broker.directory + "/tls/other-ca.pem"));
  check_ends_with(broker, serving,
                  {"certificate", "ssl.ca.location in the file of --kafka-config"});
}

TEST_CASE("a client without the certificate that brokers ask for is told to name one") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  Serving serving(
      scratch, shop, broker.mutual,
      absl::StrCat("security.protocol=ssl\nssl.ca.location=", broker.directory, "/tls/ca.pem\n"));
  check_ends_with(broker, serving, {"certificate", "ssl.certificate.location"});
}

TEST_CASE("without the right to see a source, the topic and the ACL are named") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  check_ends_with(broker, serving, {shop.sales, "Describe and Read on what is read"});
}

TEST_CASE("without the right to read a source, the topic and the ACL are named") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  test::kcat(broker.plain, {"-P", "-t", shop.sales}, kSales);
  allow(broker, {"--topic", shop.sales, "--operation", "Describe"});
  allow(broker, {"--topic", shop.control(), "--operation", "Read"});
  allow(broker, {"--topic", shop.big, "--topic", shop.control(), "--transactional-id",
                 shop.transactional_id(), "--operation", "Write"});
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  check_ends_with(broker, serving, {shop.sales, "Describe and Read on what is read"});
}

TEST_CASE("without a right to the transactional id, the id's ACL is named") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  allow(broker, {"--topic", shop.sales, "--topic", shop.control(), "--operation", "Read"});
  allow(broker, {"--topic", shop.big, "--topic", shop.control(), "--operation", "Write"});
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  check_ends_with(broker, serving,
                  {"Describe and Write on the transactional id kappa.", "--at-least-once"});
}

TEST_CASE("without the right to write an output, the topic and the ACL are named") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  test::kcat(broker.plain, {"-P", "-t", shop.sales}, kSales);
  allow(broker, {"--topic", shop.sales, "--topic", shop.control(), "--operation", "Read"});
  allow(broker, {"--topic", shop.big, "--operation", "Describe"});
  allow(broker, {"--topic", shop.control(), "--transactional-id", shop.transactional_id(),
                 "--operation", "Write"});
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  check_ends_with(broker, serving, {shop.big, "Write on what is written"});
}

TEST_CASE(
    "doctor names the ACLs that are missing, leaves no trace, and is content with all of them") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  test::kcat(broker.plain, {"-P", "-t", shop.sales}, kSales);
  const std::string data = scratch.path("data");
  const std::string config = scratch.file("kafka.properties", broker.properties());
  // A directory that knows which log it has.
  allow(broker, {"--topic", shop.sales, "--topic", shop.big, "--topic", shop.control(),
                 "--operation", "Describe"});
  REQUIRE(kappa({"topics", "create", "--product", shop.directory, "--data", data, "--log",
                 absl::StrCat("kafka://", broker.sasl), "--kafka-config", config})
              .code == 2);
  const auto access = [&] {
    const Ended ended =
        kappa({"doctor", "--data", data, "--product", shop.directory, "--output", "json"});
    INFO(ended.err);
    check_keeps_secret(broker, ended);
    std::vector<std::string> found;
    for (const nlohmann::json& finding : nlohmann::json::parse(ended.out)) {
      if (finding["check"] != "access") continue;
      const std::string fix = finding["fix"];
      found.push_back(
          absl::StrCat(std::string(finding["severity"]), " ", fix.substr(fix.find("--operation"))));
    }
    std::sort(found.begin(), found.end());
    return found;
  };
  const std::string dead = absl::StrCat(shop.sales, ".dead-letters");
  std::vector<std::string> all = {
      absl::StrCat("error --operation Describe --operation Read --topic ", shop.sales),
      absl::StrCat("error --operation Describe --operation Read --topic ", shop.control()),
      absl::StrCat("error --operation Describe --operation Write --topic ", shop.big),
      absl::StrCat("error --operation Describe --operation Write --topic ", shop.control()),
      absl::StrCat("error --operation Describe --operation Write --transactional-id ",
                   shop.transactional_id()),
      absl::StrCat("warning --operation Describe --operation Write --topic ", dead)};
  std::sort(all.begin(), all.end());
  CHECK(access() == all);

  allow(broker, {"--topic", shop.sales, "--topic", shop.control(), "--operation", "Read"});
  allow(broker, {"--topic", shop.big, "--topic", dead, "--topic", shop.control(),
                 "--transactional-id", shop.transactional_id(), "--operation", "Write"});
  CHECK(access() == Words{absl::StrCat("warning --operation Create --topic ", dead)});
  allow(broker, {"--topic", dead, "--operation", "Create"});
  CHECK(access().empty());
  // Asking has written nothing, and made nothing.
  CHECK(test::committed_records(broker.plain, shop.big, "%o").empty());
  CHECK(test::committed_records(broker.plain, shop.control(), "%o").empty());
  CHECK_FALSE(absl::StrContains(test::kcat(broker.plain, {"-L"}), dead));
}

TEST_CASE("without the right to make topics, somebody else is to make them") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  allow(broker, {"--topic", shop.sales, "--topic", shop.big, "--operation", "Describe"});
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  check_ends_with(broker, serving, {shop.sales, "make the topic beforehand"});
}

TEST_CASE("without a right to the group the product runs, and says once that nobody sees its lag") {
  KAPPA_NEED_KAFKA();
  const SecuredBroker broker = test::secured_broker();
  const Scratch scratch;
  const Shop shop(scratch);
  shop.make_topics(broker);
  allow(broker, {"--topic", shop.sales, "--topic", shop.control(), "--operation", "Read"});
  allow(broker, {"--topic", shop.big, "--topic", shop.control(), "--transactional-id",
                 shop.transactional_id(), "--operation", "Write"});
  Serving serving(scratch, shop, broker.sasl, broker.properties());
  REQUIRE(serving.process.wait_for_output("\n"));
  test::kcat(broker.plain, {"-P", "-t", shop.sales}, kSales);
  CHECK(eventually(
      [&] { return test::committed_records(broker.plain, shop.big, "%s").size() == 1; }));
  CHECK(eventually([&] {
    return absl::StrContains(serving.process.err(),
                             "Read on the group that has the product's name");
  }));
  serving.process.signal(SIGTERM);
  const Ended ended = serving.process.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  check_keeps_secret(broker, ended);
}

}  // namespace kappa::cli
