#include <chrono>
#include <filesystem>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

const std::string kProduct =
    "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2), ts timestamptz)\n"
    "SERVER log OPTIONS (topic 'sales', format 'json', event_time 'ts', max_future '1000 days');\n"
    "CREATE MATERIALIZED VIEW spent AS SELECT card, sum(amount) AS amount FROM sales GROUP BY "
    "card;\n"
    "CREATE MATERIALIZED VIEW minutes WITH (emit = 'final', grace = '10 seconds') AS\n"
    "SELECT window_start, count(*) AS sales FROM tumble(sales, ts, INTERVAL '1 minute')\n"
    "GROUP BY window_start;\n";

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

class ServeTest {
 public:
  ServeTest() { scratch_.file("shop/product.sql", kProduct); }

  std::unique_ptr<Process> serve(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"serve",     "--output",           "json", "--data", data(),
                                      "--product", scratch_.path("shop")};
    if (more.empty()) {
      words.insert(words.end(), {"--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
    }
    words.insert(words.end(), more.begin(), more.end());
    return std::make_unique<Process>(scratch_.directory(), words);
  }
  // Its addresses, once it is ready.
  nlohmann::json ready(Process& process) const {
    REQUIRE(process.wait_for_output("\n"));
    return nlohmann::json::parse(process.out());
  }
  std::string data() const { return scratch_.path("data"); }
  const Scratch& scratch() const { return scratch_; }

  nlohmann::json query_json(const std::string& sql) const {
    return nlohmann::json::parse(kappa({"query", sql, "--output", "json", "--data", data()}).out);
  }

  // The rows of a query once there is one that holds `text`; a few seconds at most.
  std::string query_until(const std::string& sql, const std::string& text) const {
    Ended ended;
    for (int i = 0; i < 100; ++i) {
      ended = kappa({"query", sql, "--data", data()});
      if (ended.out.find(text) != std::string::npos) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return ended.out + ended.err;
  }

 private:
  Scratch scratch_;
};

const std::string kSales =
    "{\"card\": \"a\", \"amount\": 1.50, \"ts\": \"2024-05-01T10:00:00Z\"}\n"
    "{\"card\": \"a\", \"amount\": 2.00, \"ts\": \"2024-05-01T10:00:30Z\"}\n";

}  // namespace

TEST_CASE("what is produced to a running server is read by a query, before and after a restart") {
  ServeTest test;
  auto serve = test.serve();
  const auto ready = test.ready(*serve);
  CHECK(ready["event"] == "ready");
  CHECK(ready["products"][0]["name"] == "shop");
  CHECK(kappa({"produce", "sales", "--data", test.data()}, kSales).code == 0);
  CHECK(mentions(test.query_until("SELECT card, amount FROM spent", "3.50"),
                 "card\tamount\na\t3.50\n"));

  serve->signal(SIGTERM);
  const Ended ended = serve->wait();
  CHECK(ended.code == 0);
  CHECK(mentions(ended.err, "stopping"));
  // Nobody serves now: the query opens the directory itself.
  CHECK(kappa({"query", "SELECT amount FROM spent", "--data", test.data()}).out ==
        "amount\n3.50\n");

  serve = test.serve();
  test.ready(*serve);
  CHECK(mentions(test.query_until("SELECT amount FROM spent", "3.50"), "3.50"));
}

TEST_CASE("a command that comes while a server starts waits for it") {
  ServeTest test;
  auto serve = test.serve();
  while (!std::filesystem::exists(test.data() + "/LOCK")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(kappa({"topics", "--data", test.data()}).code == 0);
}

TEST_CASE("commands that open the same directory come one after the other") {
  ServeTest test;
  auto serve = test.serve();
  test.ready(*serve);
  serve->signal(SIGTERM);
  CHECK(serve->wait().code == 0);
  std::vector<std::unique_ptr<Process>> queries;
  for (const char* name : {"a", "b", "c"}) {
    const std::string scratch = test.scratch().path(name);
    std::filesystem::create_directory(scratch);
    queries.push_back(std::make_unique<Process>(
        scratch,
        std::vector<std::string>{"query", "SELECT card FROM spent", "--data", test.data()}));
  }
  for (const auto& query : queries) {
    const Ended ended = query->wait();
    INFO(ended.err);
    CHECK(ended.code == 0);
  }
}

TEST_CASE("a query says how many rows wait, in the terms of its own watermark") {
  // A minute of `minutes` closes 10 seconds late, and the view's watermark is as much behind.
  ServeTest test;
  auto serve = test.serve();
  test.ready(*serve);
  CHECK(kappa({"produce", "sales", "--data", test.data()}, kSales).code == 0);
  test.query_until("SELECT amount FROM spent", "3.50");
  const Ended ended = kappa({"query", "SELECT * FROM minutes", "--data", test.data()});
  CHECK(ended.code == 0);
  CHECK(ended.out == "window_start\tsales\n");
  CHECK(ended.err ==
        "kappa: minutes: 1 row waits until the watermark reaches 2024-05-01T10:01:00Z; "
        "this answer's is 2024-05-01T10:00:20Z\n");
  const auto json = test.query_json("SELECT * FROM minutes");
  CHECK(json["waiting"][0]["view"] == "minutes");
  CHECK(json["waiting"][0]["rows"] == 1);
  CHECK(json["waiting"][0]["until"] == "2024-05-01T10:01:00Z");
  CHECK(json["generation"] == 1);
  CHECK(json["watermark"] == "2024-05-01T10:00:20Z");
  CHECK(json["place"]["sales"].is_array());
  const Ended inspected = kappa({"inspect", "--output", "json", "--data", test.data()});
  CHECK(mentions(inspected.out, "2024-05-01T10:00:20Z"));
}

TEST_CASE("a row that waits shows when the answer's watermark reaches what was said") {
  ServeTest test;
  auto serve = test.serve();
  test.ready(*serve);
  const auto sale = [](const std::string& time) {
    return "{\"card\": \"a\", \"amount\": 1.00, \"ts\": \"2024-05-01T" + time + "Z\"}\n";
  };
  const auto watermark_after = [&](const std::string& sales, const std::string& amount) {
    CHECK(kappa({"produce", "sales", "--data", test.data()}, sales).code == 0);
    test.query_until("SELECT amount FROM spent", amount);
    return test.query_json("SELECT * FROM minutes");
  };
  auto json = watermark_after(sale("10:00:00") + sale("10:01:09.999999"), "2.00");
  CHECK(json["watermark"] == "2024-05-01T10:00:59.999999Z");
  CHECK(json["waiting"][0]["rows"] == 2);
  CHECK(json["waiting"][0]["until"] == "2024-05-01T10:01:00Z");
  CHECK(json["rows"].empty());
  json = watermark_after(sale("10:01:10"), "3.00");
  CHECK(json["watermark"] == "2024-05-01T10:01:00Z");
  CHECK(json["waiting"][0]["rows"] == 1);
  CHECK(json["waiting"][0]["until"] == "2024-05-01T10:02:00Z");
  REQUIRE(json["rows"].size() == 1);
  CHECK(json["rows"][0]["sales"] == 1);
  CHECK(kappa({"query", "SELECT count(*) AS n FROM minutes", "--data", test.data()}).err ==
        "kappa: minutes: 1 row waits until the watermark reaches 2024-05-01T10:02:00Z; "
        "this answer's is 2024-05-01T10:01:00Z\n");
}

TEST_CASE("a data directory that is taken names its holder and the flags") {
  ServeTest test;
  auto serve = test.serve();
  const auto ready = test.ready(*serve);
  const Ended second = test.serve()->wait();
  CHECK(second.code == 1);
  CHECK(mentions(second.err, "is in use by kappa serve (pid " + std::to_string(serve->pid())));
  CHECK(mentions(second.err, "--data"));
}

TEST_CASE("a port that is taken names its holder and the flag") {
  ServeTest first;
  auto serve = first.serve();
  const auto ready = first.ready(*serve);
  ServeTest second;
  Ended ended = second.serve({"--listen", ready["grpc"], "--http", "127.0.0.1:0"})->wait();
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "--listen"));
  CHECK(mentions(ended.err, std::to_string(serve->pid())));
  ended = second.serve({"--listen", "127.0.0.1:0", "--http", ready["http"]})->wait();
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "--http"));
}

TEST_CASE("on a later start other files are named and what the catalogue holds goes on") {
  ServeTest test;
  auto serve = test.serve();
  test.ready(*serve);
  serve->signal(SIGINT);
  CHECK(serve->wait().code == 0);
  test.scratch().file("shop/product.sql",
                      kProduct + "CREATE MATERIALIZED VIEW more AS SELECT card FROM sales;\n");
  serve = test.serve();
  test.ready(*serve);
  CHECK(kappa({"query", "SELECT * FROM more", "--data", test.data()}).code == 1);
  serve->signal(SIGTERM);
  const Ended ended = serve->wait();
  CHECK(mentions(ended.err, "product shop: going on with generation 1"));
  CHECK(mentions(ended.err, "product.sql"));
  CHECK(mentions(ended.err, "kappa plan"));
}

TEST_CASE("a faulty product is refused on its first start with everything that is wrong") {
  ServeTest test;
  test.scratch().file("shop/product.sql",
                      "CREATE MATERIALIZED VIEW v AS SELECT a FROM t;\nSELECT;\n");
  const Ended ended = test.serve()->wait();
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "product.sql:1:"));
  CHECK(mentions(ended.err, "product.sql:2:"));
  // Nothing was taken in: once it is mended it starts as if for the first time.
  test.scratch().file("shop/product.sql", kProduct);
  auto serve = test.serve();
  test.ready(*serve);
}

TEST_CASE("serve without a product, or with an unknown log, says what is missing") {
  const Scratch scratch;
  Ended ended = kappa(
      {"serve", "--data", scratch.path("d"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "--product"));
  ended = kappa({"serve", "--data", scratch.path("d"), "--log", "kafka://x"});
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "--log kafka://x"));
  ended = kappa({"serve", "--data", scratch.path("d"), "--product", scratch.path("none")});
  CHECK(ended.code == 2);
}

TEST_CASE("consume follows a topic while it grows") {
  ServeTest test;
  auto serve = test.serve();
  test.ready(*serve);
  Process consume(test.scratch().directory(),
                  {"consume", "sales", "--follow", "--limit", "3", "--data", test.data()});
  kappa({"produce", "sales", "--data", test.data()}, kSales);
  CHECK(consume.wait_for_output("10:00:30"));
  kappa({"produce", "sales", "--data", test.data()},
        "{\"card\": \"b\", \"amount\": 9.00, \"ts\": \"2024-05-01T10:01:00Z\"}\n");
  const Ended ended = consume.wait();
  CHECK(ended.code == 0);
  CHECK(mentions(ended.out, "10:01:00"));
}

}  // namespace kappa::cli
