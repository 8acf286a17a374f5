#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

using nlohmann::json;

const std::string kProduct =
    "CREATE FOREIGN TABLE sales (card text, amount integer, at timestamptz)\n"
    "SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at');\n"
    "CREATE FOREIGN TABLE big (card text) SERVER log OPTIONS (topic 'big-sales', format 'json');\n"
    "CREATE MATERIALIZED VIEW per_hour AS SELECT window_start, count(*) AS n\n"
    "FROM tumble(sales, at, INTERVAL '1 hour') GROUP BY window_start;\n"
    "INSERT INTO big SELECT card FROM sales WHERE amount > 100;\n";

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

// A product's files and a data directory, that a server may hold.
class Setup {
 public:
  Setup() {
    scratch_.file("shop/product.sql", kProduct);
    scratch_.file("data/none", "");
  }
  void serve() {
    serve_.emplace(scratch_.directory(),
                   std::vector<std::string>{"serve", "--product", product(), "--data", data(),
                                            "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
    REQUIRE(serve_->wait_for_output("gRPC"));
  }
  void stop() {
    serve_->signal(SIGTERM);
    REQUIRE(serve_->wait().code == 0);
    serve_.reset();
  }
  std::string product() const { return scratch_.path("shop"); }
  std::string data() const { return scratch_.path("data"); }
  const Scratch& scratch() const { return scratch_; }
  Ended run(std::vector<std::string> words, const std::string& input = "") const {
    words.push_back("--data");
    words.push_back(data());
    return kappa(words, input);
  }

 private:
  Scratch scratch_;
  std::optional<Process> serve_;
};

// The findings of a check, without those of this machine.
std::vector<json> findings(const Ended& ended, const std::string& check) {
  std::vector<json> found;
  INFO(ended.err);
  for (const json& finding : json::parse(ended.out)) {
    if (finding["check"] == check) found.push_back(finding);
  }
  return found;
}

}  // namespace

TEST_CASE("topics create shows what it would do, and does it with --yes only") {
  Setup setup;
  REQUIRE(
      setup.run({"topics", "--create", "big-sales", "--partitions", "2", "--retention", "7 days"})
          .code == 0);
  const std::vector<std::string> words = {"topics", "create", "--product", setup.product()};
  const Ended shown = setup.run(words);
  CHECK(shown.code == 2);
  CHECK(mentions(shown.err, "4 topics would be made; nothing is done without --yes"));
  CHECK(shown.out ==
        "\ttopic\tfor\tpartitions\tretention\tdiffers\n"
        "+\tsales\tshop: source\t4\tfor ever\t\n"
        "+\tsales.dead-letters\tshop: dead letters\t1\tfor ever\t\n"
        "~\tbig-sales\tshop: output\t2\t7 days\twould be made with 1 partition; would be kept for "
        "ever\n"
        "+\tper_hour.dead-letters\tshop: dead letters\t1\tfor ever\t\n"
        "+\tper_hour.late\tshop: late rows\t1\tfor ever\t\n");
  CHECK(json::parse(setup.run({"topics", "--output", "json"}).out).size() == 1);

  std::vector<std::string> with_yes = words;
  with_yes.insert(with_yes.end(), {"--yes", "--partitions", "3", "--output", "json"});
  const Ended made = setup.run(with_yes);
  CHECK(made.code == 0);
  CHECK(mentions(made.err, "1 topic differs and is left as it is"));
  CHECK(mentions(made.err, "4 topics made"));
  CHECK(json::parse(made.out)[0]["state"] == "new");
  CHECK(json::parse(made.out)[0]["partitions"] == 3);
  const json topics = json::parse(setup.run({"topics", "--output", "json"}).out);
  REQUIRE(topics.size() == 5);
  // What differed is as it was.
  CHECK(topics[0]["topic"] == "big-sales");
  CHECK(topics[0]["partitions"].size() == 2);
  CHECK(topics[3]["topic"] == "sales");
  CHECK(topics[3]["partitions"].size() == 3);

  // A source may have as many partitions as it likes, unless a number is asked for.
  const Ended again = setup.run(words);
  CHECK(again.code == 0);
  CHECK(mentions(again.out, "=\tsales\tshop: source\t3\t"));
  CHECK(mentions(again.err, "every topic is there"));
  std::vector<std::string> five = words;
  five.insert(five.end(), {"--partitions", "5"});
  CHECK(mentions(setup.run(five).out, "~\tsales\tshop: source\t3\tfor ever\twould be made with 5"));
}

TEST_CASE("topics create asks the server that holds the directory") {
  Setup setup;
  setup.serve();
  const Ended made = setup.run({"topics", "create", "--product", setup.product(), "--yes"});
  CHECK(made.code == 0);
  CHECK(mentions(made.err, "3 topics made"));  // serve has made source and output
  setup.stop();
}

TEST_CASE("topics create refuses what it does not understand") {
  Setup setup;
  CHECK(setup.run({"topics", "create"}).code == 2);
  CHECK(setup.run({"topics", "create", "--product", setup.scratch().path("none")}).code == 2);
  CHECK(setup.run({"topics", "--product", setup.product()}).code == 2);
  CHECK(setup.run({"topics", "delete"}).code == 2);
  setup.scratch().file("bad/product.sql", "SELEC 1;");
  const Ended bad = setup.run({"topics", "create", "--product", setup.scratch().path("bad")});
  CHECK(bad.code == 2);
  CHECK(mentions(bad.err, "product.sql:1"));
}

TEST_CASE("a data directory is made for topics to be made, and for nothing else") {
  const Scratch scratch;
  const std::string none = scratch.path("none");
  const auto is_there = [&] { return std::filesystem::exists(none); };
  CHECK(kappa({"topics", "--data", none}).code == 1);
  const Ended faulty = kappa({"topics", "--create", "t", "--data", none, "--log", "kafka://h"});
  CHECK(faulty.code == 2);
  CHECK(mentions(faulty.err, "--log kafka://h: a broker has no host and port"));
  const std::string file = scratch.file("rows.csv", "id\n1\n");
  CHECK(kappa({"import", file, "--topic", "t", "--data", none}).code == 1);
  CHECK(kappa({"import", file, "--topic", "t", "--data", none, "--log", "nonsense"}).code == 2);
  CHECK_FALSE(is_there());
  CHECK(kappa({"import", file, "--topic", "t", "--create", "--data", none}).code == 0);
  CHECK(is_there());
  const std::string other = scratch.path("other");
  CHECK(kappa({"topics", "--create", "t", "--data", other}).code == 0);
  const Ended copies = kappa({"topics", "--create", "u", "--data", other, "--replication", "3"});
  CHECK(copies.code == 1);
  CHECK(mentions(copies.err, "the embedded log is on one machine; copies need Kafka"));
}

TEST_CASE("doctor names what is wrong with topics, with and without a server") {
  Setup setup;
  const std::vector<std::string> words = {"doctor", "--output", "json"};
  std::vector<std::string> with_product = words;
  with_product.insert(with_product.end(), {"--product", setup.product()});
  // Nobody has made anything yet.
  const Ended missing = setup.run(with_product);
  CHECK(missing.code == 1);
  CHECK(findings(missing, "topics").size() == 2);

  // History with its own times, in a topic that keeps half an hour: too short for the hours that
  // the product counts, and retention takes the records at once.
  setup.run({"topics", "--create", "sales", "--retention", "30 minutes"});
  setup.run({"topics", "--create", "sales.dead-letters"});
  setup.run({"produce", "sales.dead-letters"}, "x\n");
  setup.run(
      {"produce", "sales", "--json"},
      R"({"timestamp": "2018-05-01T10:00:00Z", "value": {"card": "a", "amount": 1, "at": "2018-05-01T10:00:00Z"}})"
      "\n");
  bool was_served = false;
  for (const bool served : {false, true, false}) {
    if (served) setup.serve();
    was_served = was_served || served;
    // A served product, and one in the catalogue, are known without being named.
    const Ended ended = setup.run(served ? words : with_product);
    CHECK(ended.code == 1);
    const auto retention = findings(ended, "retention");
    REQUIRE(retention.size() == 2);
    CHECK(retention[0]["severity"] == "error");
    CHECK(mentions(retention[0]["fix"], "retention.ms=3600000"));
    CHECK(retention[1]["severity"] == "warning");
    CHECK(mentions(retention[1]["what"], "sales"));
    REQUIRE(findings(ended, "dead letters").size() == 1);
    CHECK(mentions(findings(ended, "dead letters")[0]["fix"], "kappa dlq show sales.dead-letters"));
    // Until serve has made it, the output topic is missing.
    CHECK(findings(ended, "topics").size() == (was_served ? 0 : 1));
    if (served) setup.stop();
  }
  const Ended table = setup.run({"doctor"});
  CHECK(table.out.starts_with("severity\tcheck\twhat\tfix\nerror\tretention\ttopic sales keeps "));
}

TEST_CASE("doctor finds nothing wrong with a product that has just begun") {
  Setup setup;
  setup.serve();
  const Ended ended = setup.run({"doctor", "--output", "json"});
  for (const char* check : {"data", "lock", "log", "topics", "partitions", "retention", "clock",
                            "product", "checkpoint", "dead letters", "late rows"}) {
    INFO(check);
    CHECK(findings(ended, check).empty());
  }
  setup.stop();
}

TEST_CASE("doctor says so if there is no log to ask") {
  const Scratch scratch;
  const Ended none = kappa({"doctor", "--data", scratch.path("none"), "--output", "json"});
  CHECK(none.code == 1);
  CHECK(findings(none, "data").size() == 1);
  CHECK(findings(none, "log").empty());
  const Ended nobody =
      kappa({"doctor", "--server", "127.0.0.1:1", "--timeout-ms", "2000", "--output", "json"});
  CHECK(nobody.code == 1);
  REQUIRE(findings(nobody, "log").size() == 1);
  CHECK(findings(nobody, "log")[0]["severity"] == "error");
  CHECK(kappa({"doctor", "--product", scratch.path("none")}).code == 2);
}

}  // namespace kappa::cli
