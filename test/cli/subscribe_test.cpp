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
    "CREATE FOREIGN TABLE big (card text, amount numeric(12,2))\n"
    "SERVER log OPTIONS (topic 'big-sales', format 'json');\n"
    "INSERT INTO big SELECT card, amount FROM sales WHERE amount > 100;\n";

// Without heartbeats, which come with time.
std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> lines;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    auto line = nlohmann::json::parse(text.substr(at, text.find('\n', at) - at));
    if (line["event"] != "heartbeat") lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

TEST_CASE("subscribe prints what a product writes, and goes on behind what it has printed") {
  Scratch scratch;
  scratch.file("shop/product.sql", kProduct);
  const std::string data = scratch.path("data");
  Process serve(scratch.directory(),
                {"serve", "--product", scratch.path("shop"), "--data", data, "--partitions", "1",
                 "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(serve.wait_for_output("gRPC"));
  REQUIRE(kappa({"produce", "sales", "--data", data},
                "{\"card\":\"a\",\"amount\":\"250.00\"}\n{\"card\":\"b\",\"amount\":\"1.00\"}\n"
                "{\"card\":\"c\",\"amount\":\"500.00\"}\n")
              .code == 0);
  const auto subscribe = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"subscribe", "big", "--data", data});
    return kappa(words);
  };
  CHECK(subscribe({"--from-beginning", "--limit", "2"}).out ==
        "card\tamount\na\t250.00\nc\t500.00\n");
  std::string token;
  for (const auto& line :
       lines_of(subscribe({"--from-beginning", "--limit", "1", "--output", "json"}).out)) {
    if (line["event"] != "change") continue;
    CHECK(line["row"] == nlohmann::json({{"card", "a"}, {"amount", "250.00"}}));
    CHECK(line["topic"] == "big-sales");
    token = line["resume_token"];
  }
  CHECK(subscribe({"--resume", token, "--limit", "1"}).out == "card\tamount\nc\t500.00\n");
  CHECK(subscribe({"--resume", token.substr(1)}).err.find("resume_token") != std::string::npos);
  CHECK(subscribe({"--resume", token, "--from-beginning"}).code == 2);
  serve.signal(SIGTERM);
  CHECK(serve.wait().code == 0);
}

TEST_CASE("a swap shows in the stream of an output, and takes nothing from it") {
  Scratch scratch;
  scratch.file("shop/product.sql", kProduct);
  std::string stricter = kProduct;
  stricter.replace(stricter.find("> 100"), 5, "> 200");
  scratch.file("next/shop/product.sql", stricter);
  const std::string data = scratch.path("data");
  Process serve(scratch.directory(),
                {"serve", "--product", scratch.path("shop"), "--data", data, "--partitions", "1",
                 "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(serve.wait_for_output("gRPC"));
  const auto sell = [&](const std::string& card, const std::string& amount) {
    const std::string sale = nlohmann::json({{"card", card}, {"amount", amount}}).dump() + "\n";
    REQUIRE(kappa({"produce", "sales", "--data", data}, sale).code == 0);
  };
  const auto subscribe = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"subscribe", "big", "--data", data, "--output", "json"});
    return lines_of(kappa(words).out);
  };
  sell("a", "150.00");
  const auto before = subscribe({"--from-beginning", "--limit", "1"});
  REQUIRE(kappa({"replay", "start", scratch.path("next/shop"), "--wait", "--data", data}).code ==
          0);
  REQUIRE(kappa({"replay", "swap", "--yes", "--data", data}).code == 0);
  sell("b", "150.00");
  sell("c", "300.00");
  const auto after = subscribe({"--resume", before.back()["resume_token"], "--limit", "1"});
  REQUIRE(after.size() == 3);
  CHECK(after[0]["event"] == "header");
  CHECK(after[1]["event"] == "generation_changed");
  CHECK(after[1]["from"] == 1);
  CHECK(after[1]["to"] == 2);
  CHECK(after[2]["row"]["card"] == "c");
  const auto all = subscribe({"--from-beginning", "--limit", "2"});
  CHECK(all.size() == 3);
  CHECK(all[1]["row"]["card"] == "a");
  CHECK(all[2]["row"]["card"] == "c");
  serve.signal(SIGTERM);
  CHECK(serve.wait().code == 0);
}

}  // namespace kappa::cli
