// `kappa new product`, and the commands of the README that it lays out, as they are printed there.

#include <filesystem>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/wait.h>

#include "test/cli/process.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

namespace fs = std::filesystem;
using Catch::Contains;

// The lines of the shell blocks of a README: the first block, and all others.
struct Commands {
  std::vector<std::string> first;
  std::vector<std::string> others;
};

Commands commands_of(const std::string& readme) {
  Commands commands;
  int blocks = 0;
  bool inside = false;
  std::istringstream text(readme);
  for (std::string line; std::getline(text, line);) {
    if (line == "```sh") {
      inside = true;
      ++blocks;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      (blocks == 1 ? commands.first : commands.others).push_back(line);
    }
  }
  return commands;
}

Ended run(const Scratch& scratch, const std::string& line) {
  scratch.file("line.sh", line + "\n");
  const std::string bin = fs::path(KAPPA_BINARY).parent_path();
  const std::string command = "cd '" + scratch.directory() + "' && PATH='" + bin +
                              "':$PATH bash ./line.sh >out 2>err </dev/null";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of_file(scratch.path("out")),
          text_of_file(scratch.path("err"))};
}

}  // namespace

TEST_CASE("a new product is laid out under its name, and its scenarios pass") {
  const Scratch scratch;
  const Ended made =
      kappa({"new", "product", "web-shop_2", "--into", scratch.path("a/b"), "--output", "json"});
  INFO(made.err);
  REQUIRE(made.code == 0);
  const auto result = nlohmann::json::parse(made.out);
  CHECK(result["product"] == "web-shop_2");
  CHECK(result["directory"] == scratch.path("a/b/web-shop_2"));
  const std::vector<std::string> files = {"README.md", "product.sql", "sample/orders.ndjson",
                                          "tests/orders.slt"};
  CHECK(result["files"] == files);
  for (const std::string& file : files) {
    const std::string text = text_of_file(scratch.path("a/b/web-shop_2/" + file));
    CHECK_FALSE(text.empty());
    CHECK_THAT(text, !Contains("my_product"));
  }
  CHECK(kappa({"validate", scratch.path("a/b/web-shop_2")}).code == 0);
  const Ended tested = kappa({"test", scratch.path("a/b/web-shop_2")});
  INFO(tested.out);
  CHECK(tested.code == 0);
  CHECK_THAT(tested.out, Contains("1 passed, 0 failed"));
}

TEST_CASE("a new product is refused where something is, and under a name that none can have") {
  const Scratch scratch;
  REQUIRE(kappa({"new", "product", "shop", "--into", scratch.directory()}).code == 0);
  const std::string sql = text_of_file(scratch.path("shop/product.sql"));
  fs::resize_file(scratch.path("shop/product.sql"), 7);
  const Ended again = kappa({"new", "product", "shop", "--into", scratch.directory()});
  CHECK(again.code == 2);
  CHECK_THAT(again.err, Contains("/shop is there already"));
  CHECK(text_of_file(scratch.path("shop/product.sql")) == sql.substr(0, 7));

  for (const char* name : {"Shop", "2shop", "", "a/b", "..", "shop.v2", "sh op"}) {
    const Ended refused = kappa({"new", "product", name, "--into", scratch.path("none")});
    INFO(name << "\n" << refused.err);
    CHECK(refused.code == 2);
    CHECK_FALSE(fs::exists(scratch.path("none")));
  }
  scratch.file("file", "");
  CHECK(kappa({"new", "product", "shop", "--into", scratch.path("file")}).code == 1);
  CHECK(kappa({"new"}).code == 2);
  CHECK(kappa({"new", "thing", "shop"}).code == 2);
}

TEST_CASE("the README of a new product leads to a changed live view") {
  const Scratch scratch;
  REQUIRE(run(scratch, "kappa new product shop").code == 0);
  const Commands commands = commands_of(text_of_file(scratch.path("shop/README.md")));
  REQUIRE(commands.first ==
          std::vector<std::string>{"kappa test shop", "kappa serve --product shop --partitions 1"});
  REQUIRE(commands.others.size() > 10);
  CHECK(run(scratch, commands.first[0]).code == 0);
  // The second one, on ports that are free.
  Process server(scratch.directory(),
                 {"serve", "--product", scratch.path("shop"), "--partitions", "1", "--data",
                  scratch.path("kappa-data"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"});
  REQUIRE(server.wait_for_output("gRPC"));
  std::string all;
  for (const std::string& line : commands.others) {
    const Ended ended = run(scratch, line);
    INFO(line << "\n" << ended.out << ended.err);
    CHECK(ended.code == 0);
    all += ended.out;
  }
  INFO(all);
  CHECK_THAT(all, Contains("~ view busy_minutes"));
  CHECK_THAT(all, Contains("generation 2 is live, in place of generation 1"));
  const std::string live =
      "kappa query 'SELECT customer_id, orders FROM busy_minutes ORDER BY customer_id'";
  CHECK(run(scratch, live).out == "customer_id\torders\nada\t3\nbob\t2\n");
  CHECK(run(scratch, "kappa query \"SELECT spent FROM orders_per_minute WHERE customer_id = 'me'\"")
            .out == "spent\n5.00\n");
  server.signal(SIGTERM);
  CHECK(server.wait().code == 0);
  CHECK(run(scratch, "kappa consume shop-alerts | grep -c ada").out == "1\n");
}

}  // namespace kappa::cli
