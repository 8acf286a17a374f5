#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

const std::string kProduct =
    "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2))\n"
    "SERVER log OPTIONS (topic 'sales', format 'json');\n"
    "CREATE MATERIALIZED VIEW spent AS SELECT card, sum(amount) AS amount FROM sales GROUP BY "
    "card;\n";

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

// A data directory with a product that nobody serves.
class DataDirectoryTest {
 public:
  DataDirectoryTest() {
    scratch_.file("shop/product.sql", kProduct);
    Process serve(scratch_.directory(),
                  {"serve", "--product", scratch_.path("shop"), "--data", data(), "--listen",
                   "127.0.0.1:0", "--http", "127.0.0.1:0"});
    REQUIRE(serve.wait_for_output("gRPC"));
    serve.signal(SIGTERM);
    REQUIRE(serve.wait().code == 0);
  }
  std::string data() const { return scratch_.path("data"); }
  Ended run(std::vector<std::string> words, const std::string& input = "") const {
    words.push_back("--data");
    words.push_back(data());
    return kappa(words, input);
  }

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("without a server, topics are made, filled and read by the commands themselves") {
  const DataDirectoryTest test;
  CHECK(test.run({"topics", "--create", "notes", "--partitions", "2", "--retention", "7 days"})
            .code == 0);
  const auto topics = nlohmann::json::parse(test.run({"topics", "--output", "json"}).out);
  REQUIRE(topics.size() == 2);
  CHECK(topics[0]["topic"] == "notes");
  CHECK(topics[0]["partitions"].size() == 2);
  CHECK(topics[0]["retention_ms"] == 7 * 86'400'000);
  CHECK(mentions(test.run({"topics"}).out, "notes\t2\t0\t"));

  const Ended produced = test.run({"produce", "notes", "--key-separator", ":"}, "a:one\na:two:x\n");
  CHECK(produced.code == 0);
  CHECK(mentions(produced.err, "2 records appended to notes"));
  CHECK(test.run({"consume", "notes"}).out == "one\ntwo:x\n");
  CHECK(test.run({"consume", "notes", "--key-separator", "="}).out == "a=one\na=two:x\n");
  CHECK(test.run({"consume", "notes", "--limit", "1"}).out == "one\n");
  CHECK(test.run({"consume", "notes", "--from", "end"}).out == "");
}

TEST_CASE("what consume prints as JSON, produce takes back") {
  const DataDirectoryTest test;
  test.run({"topics", "--create", "a"});
  test.run({"topics", "--create", "b"});
  const std::string lines =
      "{\"key\": \"k\", \"value\": {\"n\": 1.50}, \"timestamp\": \"2024-05-01T10:00:00Z\", "
      "\"headers\": {\"h\": \"v\"}, \"partition\": 0}\n"
      "{\"value\": null, \"key_base64\": \"/w==\"}\n";
  CHECK(test.run({"produce", "a", "--json"}, lines).code == 0);
  const std::string out = test.run({"consume", "a", "--output", "json"}).out;
  const auto first = nlohmann::json::parse(out.substr(0, out.find('\n')));
  CHECK(first["value"] == "{\"n\": 1.50}");
  CHECK(first["timestamp"] == "2024-05-01T10:00:00Z");
  CHECK(first["headers"]["h"] == "v");
  CHECK(test.run({"produce", "b", "--json"}, out).code == 0);
  std::string copy = test.run({"consume", "b", "--output", "json"}).out;
  for (size_t at; (at = copy.find("\"topic\":\"b\"")) != std::string::npos;) copy[at + 9] = 'a';
  // The second record has no timestamp of its own; it keeps the first append's.
  CHECK(copy == out);
}

TEST_CASE("lines that are no records are refused with their number") {
  const DataDirectoryTest test;
  test.run({"topics", "--create", "notes"});
  const Ended ended = test.run({"produce", "notes", "--key-separator", ":"}, "a:one\nnothing\n");
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "line 2: expected a key and a value with \":\" between them"));
  CHECK(test.run({"consume", "notes"}).out == "one\n");
  CHECK(mentions(test.run({"produce", "notes", "--json"}, "[]\n").err,
                 "line 1: expected one JSON object"));
  CHECK(mentions(test.run({"produce", "notes", "--json"}, "{\"valu\": 1}\n").err,
                 "unknown field \"valu\""));
  CHECK(mentions(test.run({"produce", "notes", "--json"}, "{\"key\": 1}\n").err,
                 "\"key\": expected a text"));
}

TEST_CASE("unknown topics and wrong starts are told") {
  const DataDirectoryTest test;
  CHECK(mentions(test.run({"produce", "nowhere"}, "x\n").err,
                 "check its name, or make it (kappa topics --create nowhere"));
  CHECK(mentions(test.run({"consume", "nowhere"}).err, "nowhere"));
  const Ended ended = test.run({"consume", "sales", "--from", "yesterday"});
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "--from yesterday: expected beginning, end, an offset, or a time"));
  CHECK(test.run({"topics", "--create", "x", "--retention", "soon"}).code == 2);
}

TEST_CASE("a payload that its source would not take is refused") {
  const DataDirectoryTest test;
  const Ended ended = test.run({"produce", "sales"}, "{\"card\": \"a\", \"amount\": \"much\"}\n");
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err,
                 "line 1 does not meet what product shop declares of topic sales: column"
                 " amount: "));
  const std::string good = "{\"card\": \"a\", \"amount\": 1}\n";
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += good;  // one request's worth
  const Ended many = test.run({"produce", "sales"}, lines + good + "nonsense\n" + good);
  CHECK(many.code == 1);
  CHECK(mentions(many.err, "kappa: 1000 records appended to sales\n"));
  CHECK(mentions(many.err, "line 1002 does not meet"));
  CHECK(mentions(many.err, "got \"nonsense\"; none of the lines 1001 to 1003 is appended\n"));
}

TEST_CASE("a query without a server reads the last place and says what waits in the log") {
  const DataDirectoryTest test;
  CHECK(test.run({"produce", "sales"}, "{\"card\": \"a\", \"amount\": 1.50}\n").code == 0);
  const Ended ended = test.run({"query", "SELECT card, amount FROM spent"});
  CHECK(ended.code == 0);
  CHECK(ended.out == "card\tamount\n");
  CHECK(mentions(ended.err, "1 record in the log is not applied yet"));
}

TEST_CASE("inspect shows products, places and checksums") {
  const DataDirectoryTest test;
  const Ended ended = test.run({"inspect", "--checksum"});
  CHECK(ended.code == 0);
  CHECK(mentions(ended.out, "product      shop"));
  CHECK(mentions(ended.out, "generation   1, plan "));
  CHECK(mentions(ended.out, "checksum     "));
  CHECK(mentions(ended.out, "spent\t0\t"));
  const auto json = nlohmann::json::parse(test.run({"inspect", "--output", "json"}).out);
  CHECK(json["products"][0]["product"] == "shop");
  CHECK_FALSE(json["products"][0].contains("checksum"));
}

}  // namespace kappa::cli
