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

std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> lines;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(nlohmann::json::parse(text.substr(at, text.find('\n', at) - at)));
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

}  // namespace kappa::cli
