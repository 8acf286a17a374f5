#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

bool mentions(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

Ended playground(const std::string& data, std::vector<std::string> more) {
  std::vector<std::string> words = {"playground",  "--data", data,         "--listen",
                                    "127.0.0.1:0", "--http", "127.0.0.1:0"};
  words.insert(words.end(), more.begin(), more.end());
  return kappa(words);
}

nlohmann::json query(const std::string& data, const std::string& sql) {
  const Ended ended = kappa({"query", sql, "--output", "json", "--data", data});
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  return nlohmann::json::parse(ended.out)["rows"];
}

int64_t records_of(const std::string& data, const std::string& topic) {
  const Ended ended = kappa({"topics", "--output", "json", "--data", data});
  for (const auto& entry : nlohmann::json::parse(ended.out)) {
    if (entry["topic"] == topic) return entry["records"].get<int64_t>();
  }
  return -1;
}

}  // namespace

TEST_CASE("the playground fills its views, prints what to paste, and goes on after a restart") {
  const Scratch scratch;
  const std::string data = scratch.path("data");
  Ended ended = playground(data, {"--rate", "20000", "--records", "16000"});
  INFO(ended.err);
  CHECK(ended.code == 0);
  for (const char* part : {"OmniShop is open.", "(a new one)", "gRPC", "/metrics", "export PATH=",
                           "kappa query \"SELECT", "kappa consume fraud-alerts --follow"}) {
    CHECK(mentions(ended.out, part));
  }
  CHECK(records_of(data, "sales") == 8000);
  CHECK(records_of(data, "clicks") == 8000);
  auto rows = query(data, "SELECT sum(sales) AS n FROM revenue_by_channel");
  CHECK(rows[0]["n"] == "8000");
  CHECK(query(data, "SELECT sum(clicks) AS n FROM clicks_by_product")[0]["n"] == "8000");

  ended = playground(data, {"--rate", "20000", "--records", "801"});
  CHECK(ended.code == 0);
  CHECK(mentions(ended.out, "(going on after 16000 events)"));
  CHECK(records_of(data, "sales") + records_of(data, "clicks") == 16801);
  rows = query(data, "SELECT sum(sales) AS n FROM revenue_by_channel");
  CHECK(rows[0]["n"] == std::to_string(records_of(data, "sales")));
}

TEST_CASE("a playground that is killed goes on where it was") {
  const Scratch scratch;
  const std::string data = scratch.path("data");
  {
    Process process(scratch.directory(),
                    {"playground", "--data", data, "--listen", "127.0.0.1:0", "--http",
                     "127.0.0.1:0", "--rate", "5000", "--output", "json"});
    REQUIRE(process.wait_for_output("\"progress\""));
    process.signal(SIGKILL);
    process.wait();
  }
  CHECK(playground(data, {"--rate", "20000", "--records", "2000"}).code == 0);
  const int64_t sales = records_of(data, "sales");
  CHECK(query(data, "SELECT sum(sales) AS n FROM revenue_by_channel")[0]["n"] ==
        std::to_string(sales));
}

TEST_CASE("the playground fills every topic, and no record is a dead letter") {
  const Scratch scratch;
  const std::string data = scratch.path("data");
  const Ended ended =
      playground(data, {"--rate", "20000", "--records", "16000", "--output", "json"});
  INFO(ended.err);
  REQUIRE(ended.code == 0);
  const std::string last = ended.out.substr(ended.out.rfind('\n', ended.out.size() - 2) + 1);
  const auto progress = nlohmann::json::parse(last);
  CHECK(progress["events"] == 16000);
  CHECK(progress["other_events"] == 2000);
  CHECK(progress["dead_letters"] == 0);
  for (const char* topic : {"stock", "customers", "consents", "posts", "sensors"}) {
    CHECK(records_of(data, topic) == 400);
  }
  for (const char* view : {"stock_levels", "customer_accounts", "consents_now", "posts_per_minute",
                           "footfall_per_minute"}) {
    const auto rows = query(data, std::string("SELECT count(*) AS n FROM ") + view);
    CHECK(rows[0]["n"] != "0");
  }
  // Each movement once, however often it came.
  const auto sums = query(data, "SELECT sum(movements) AS n FROM stock_levels");
  const auto once = query(data, "SELECT count(*) AS n FROM stock_movements");
  CHECK(sums[0]["n"] == std::to_string(once[0]["n"].get<int64_t>()));
  CHECK(once[0]["n"] < 400);
}

TEST_CASE("a signal ends the playground cleanly") {
  const Scratch scratch;
  Process process(scratch.directory(),
                  {"playground", "--data", scratch.path("data"), "--listen", "127.0.0.1:0",
                   "--http", "127.0.0.1:0", "--output", "json"});
  REQUIRE(process.wait_for_output("\"progress\""));
  process.signal(SIGINT);
  const Ended ended = process.wait();
  CHECK(ended.code == 0);
  const auto ready = nlohmann::json::parse(ended.out.substr(0, ended.out.find('\n')));
  CHECK(ready["event"] == "ready");
  CHECK(ready["pid"] == process.pid());
}

TEST_CASE("another seed or an impossible rate is refused") {
  const Scratch scratch;
  const std::string data = scratch.path("data");
  CHECK(playground(data, {"--records", "8", "--seed", "5"}).code == 0);
  Ended ended = playground(data, {"--records", "8", "--seed", "6"});
  CHECK(ended.code == 1);
  CHECK(mentions(ended.err, "--seed 5"));
  ended = playground(data, {"--rate", "0"});
  CHECK(ended.code == 2);
  CHECK(mentions(ended.err, "--rate 0"));
}

}  // namespace kappa::cli
