#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "engine/cli/dead_letters.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

using nlohmann::json;

const std::string kProduct =
    "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2), at timestamptz)\n"
    "SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at');\n"
    "CREATE MATERIALIZED VIEW shares AS SELECT card, 100 / amount AS share FROM sales;\n"
    "CREATE MATERIALIZED VIEW per_minute AS SELECT window_start, count(*) AS n\n"
    "FROM tumble(sales, at, INTERVAL '1 minute') GROUP BY window_start;\n";

// Bad in three ways, and one that is late; with headers of the producer's own.
const std::string kRecords =
    R"({"timestamp": "2024-05-01T10:00:00Z", "key": "k0", "value": {"card": "a", "amount": 1, "at": "2024-05-01T10:00:00Z"}})"
    "\n"
    R"({"timestamp": "2024-05-01T10:05:00Z", "key": "k1", "value": {"card": "b", "amount": 0, "at": "2024-05-01T10:05:00Z"}, "headers": {"trace": "t1", "kappa-topic": "upstream"}})"
    "\n"
    R"({"timestamp": "2024-05-01T10:06:00Z", "key_base64": "/w==", "value": "nonsense", "headers": {"trace": "t2"}})"
    "\n"
    R"({"timestamp": "2024-05-01T10:07:00Z", "value": "rubbish"})"
    "\n"
    R"({"timestamp": "2024-05-01T10:08:00Z", "key": "k4", "value": {"card": "c", "amount": 2, "at": "2024-05-01T10:01:00Z"}, "headers": {"trace": "t4"}})"
    "\n";

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

// A product that has read kRecords, and has published to the topic `last`. It is still served until
// stop().
class DeadLetterTest {
 public:
  explicit DeadLetterTest(const std::string& product = kProduct,
                          const std::string& last = "per_minute.late") {
    scratch_.file("shop/product.sql", product);
    scratch_.file("data/none", "");
    REQUIRE(run({"topics", "--create", "sales"}).code == 0);
    REQUIRE(run({"produce", "sales", "--json"}, kRecords).code == 0);
    serve_.emplace(
        scratch_.directory(),
        std::vector<std::string>{"serve", "--product", scratch_.path("shop"), "--data",
                                 scratch_.path("data"), "--listen", "127.0.0.1:0", "--http",
                                 "127.0.0.1:0", "--checkpoint-interval-ms", "20"});
    REQUIRE(serve_->wait_for_output("gRPC"));
    for (int i = 0;
         i < 600 && run({"dlq", "list", "--output", "json"}).out.find(last) == std::string::npos;
         ++i) {
    }
  }
  void stop() {
    serve_->signal(SIGTERM);
    REQUIRE(serve_->wait().code == 0);
  }
  Ended run(std::vector<std::string> words, const std::string& input = "") const {
    words.push_back("--data");
    words.push_back(scratch_.path("data"));
    return kappa(words, input);
  }

 private:
  Scratch scratch_;
  std::optional<Process> serve_;
};

}  // namespace

TEST_CASE(
    "dlq lists reasons and shows dead letters with source, payload and the original headers") {
  DeadLetterTest test;
  const Ended served = test.run({"dlq", "list", "--output", "json"});
  REQUIRE(served.code == 0);
  const json list = json::parse(served.out);
  REQUIRE(list.size() == 2);
  CHECK(list[0]["topic"] == "per_minute.late");
  CHECK(list[0]["kind"] == "late");
  CHECK(list[0]["records"] == 1);
  CHECK(list[0]["newest_from"] == "sales/0@4");
  CHECK(list[1]["topic"] == "sales.dead-letters");
  CHECK(list[1]["records"] == 3);
  CHECK(list[1]["since"] == "2024-05-01T10:05:00Z");
  CHECK(list[1]["newest"] == "2024-05-01T10:07:00Z");
  CHECK(list[1]["newest_from"] == "sales/0@3");
  CHECK(list[1]["reasons"].size() == 3);
  CHECK(list[1]["other_reasons"] == 0);

  const std::vector<json> shown =
      lines_of(test.run({"dlq", "show", "sales.dead-letters", "--output", "json"}).out);
  REQUIRE(shown.size() == 3);
  const json* failed = nullptr;
  const json* malformed = nullptr;
  for (const json& letter : shown) {
    if (letter["source"]["offset"] == 1) failed = &letter;
    if (letter["source"]["offset"] == 2) malformed = &letter;
  }
  REQUIRE(failed);
  REQUIRE(malformed);
  CHECK((*failed)["source"]["topic"] == "sales");
  CHECK((*failed)["product"] == "shop");
  CHECK((*failed)["view"] == "shares");
  CHECK((*failed)["sql_position"] == "3:53");
  CHECK((*failed)["reason"].get<std::string>().find("zero") != std::string::npos);
  CHECK((*failed)["key"] == "k1");
  CHECK(json::parse((*failed)["value"].get<std::string>())["card"] == "b");
  // The producer's own header of a name like ours is told apart from ours.
  CHECK((*failed)["headers"] == json::parse(R"([{"name": "kappa-topic", "value": "upstream"},
                        {"name": "trace", "value": "t1"}])"));
  CHECK((*malformed)["view"].is_null());
  CHECK((*malformed)["key_base64"] == "/w==");
  CHECK((*malformed)["value"] == "nonsense");
  CHECK((*malformed)["headers"] == json::parse(R"([{"name": "trace", "value": "t2"}])"));

  test.stop();
  CHECK(test.run({"dlq", "list", "--output", "json"}).out == served.out);
}

TEST_CASE("a row that INSERT INTO cannot compute tells where in the SQL") {
  DeadLetterTest test(
      "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2), at timestamptz)\n"
      "SERVER log OPTIONS (topic 'sales', format 'json', event_time 'at');\n"
      "CREATE FOREIGN TABLE shares (card text, share numeric(12,2))\n"
      "SERVER log OPTIONS (topic 'shares', format 'json');\n"
      "INSERT INTO shares SELECT card, 100 / amount AS share FROM sales;\n",
      "sales.dead-letters");
  test.stop();
  const std::vector<json> shown = lines_of(
      test.run({"dlq", "show", "sales.dead-letters", "--reason", "zero", "--output", "json"}).out);
  REQUIRE(shown.size() == 1);
  CHECK(shown[0]["sql_position"] == "5:37");
  CHECK(shown[0]["view"].is_null());
}

TEST_CASE("dlq shows what is asked for") {
  DeadLetterTest test;
  test.stop();
  const auto count = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"dlq", "show", "sales.dead-letters", "--output", "json"});
    return lines_of(test.run(words).out).size();
  };
  CHECK(count({}) == 3);
  CHECK(count({"--limit", "2"}) == 2);
  CHECK(count({"--reason", "zero"}) == 1);
  CHECK(count({"--reason", "no such reason"}) == 0);
  CHECK(count({"--product", "shop"}) == 3);
  CHECK(count({"--product", "other"}) == 0);
  const Ended table = test.run({"dlq", "show", "per_minute.late"});
  CHECK(
      table.out.starts_with("at\ttime\treason\tsource\tview\tsql\tkey\tvalue\theaders\n"
                            "0@0\t2024-05-01T10:08:00Z\tlate\tsales/0@4\tper_minute\t\\N\t"));
  const Ended list = test.run({"dlq", "list"});
  CHECK(
      list.out.starts_with("topic\trecords\tsince\tnewest\tnewest from\treason\n"
                           "per_minute.late\t1\t2024-05-01T10:08:00Z\t"));
  const Ended none = test.run({"dlq", "list", "--product", "other"});
  CHECK(none.code == 0);
  CHECK(none.out.empty());
  CHECK(none.err.find("there are no dead letters") != std::string::npos);
}

TEST_CASE("dlq refuses what it does not understand") {
  const Scratch scratch;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"dlq"},
                                             {"dlq", "drop"},
                                             {"dlq", "show"},
                                             {"dlq", "show", "sales"},
                                             {"dlq", "list", "sales.dead-letters"},
                                             {"dlq", "list", "--limit", "3"}}) {
    const Ended ended = kappa(words);
    INFO(ended.err);
    CHECK(ended.code == 2);
    CHECK(ended.out.empty());
    CHECK(ended.err.find("kappa: error: ") == 0);
  }
}

TEST_CASE("of more reasons than fit, the later ones are counted together") {
  DeadLetterSummary summary;
  const auto reasons = static_cast<int64_t>(DeadLetterSummary::kReasonsMax) + 5;
  for (int64_t i = 0; i < reasons; ++i) {
    runtime::DeadLetter letter;
    letter.reason = std::to_string(i);
    summary.add(letter, LogTime{i});
    if (i == 7) summary.add(letter, LogTime{i});
  }
  CHECK(summary.all().records == reasons + 1);
  CHECK(summary.reasons().size() == DeadLetterSummary::kReasonsMax);
  CHECK(summary.reasons()[0].first == "7");
  CHECK(summary.others().records == 5);
  CHECK(summary.others().newest == LogTime{reasons - 1});
}

}  // namespace kappa::cli
