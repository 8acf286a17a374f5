// What a person at a terminal is asked.

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "test/cli/process.h"
#include "test/cli/pty.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

struct Setup {
  Setup() {
    scratch.file("shop/product.sql",
                 "CREATE FOREIGN TABLE sales (card text) SERVER log OPTIONS (topic 'sales', format "
                 "'json');\n"
                 "CREATE MATERIALIZED VIEW cards AS SELECT card, count(*) AS n FROM sales GROUP BY "
                 "card;\n");
  }
  std::vector<std::string> words() const {
    return {"topics", "create", "--product", scratch.path("shop"), "--data", scratch.path("data")};
  }
  bool made() const {
    return absl::StrContains(kappa({"topics", "--data", scratch.path("data")}).out, "sales");
  }
  Scratch scratch;
};

}  // namespace

TEST_CASE("topics create asks who sits at a terminal, and makes topics on y") {
  const Setup setup;
  Terminal terminal(setup.words());
  REQUIRE(terminal.wait_for("make 2 topics? [y/N] "));
  CHECK(absl::StrContains(terminal.shown(), "sales.dead-letters"));
  CHECK_FALSE(absl::StrContains(terminal.shown(), "2 topics made"));
  terminal.type("y\n");
  CHECK(terminal.wait() == 0);
  CHECK(absl::StrContains(terminal.shown(), "2 topics made"));
  CHECK(setup.made());
}

TEST_CASE("topics create makes nothing on any other answer, or none") {
  constexpr char kEndOfFile[] = "\x04";
  for (const std::string answer : {"n\n", "\n", "yes please\n", kEndOfFile}) {
    const Setup setup;
    Terminal terminal(setup.words());
    REQUIRE(terminal.wait_for("[y/N] "));
    terminal.type(answer);
    CHECK(terminal.wait() == 1);
    CHECK(absl::StrContains(terminal.shown(), "nothing was made"));
    CHECK_FALSE(setup.made());
  }
}

}  // namespace kappa::cli
