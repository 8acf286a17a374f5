// `kappa apply` against a server of the test's own that holds the data directory.
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "state/data_directory.h"
#include "test/cli/process.h"
#include "test/cli/pty.h"
#include "test/cli/scratch.h"
#include "test/serve/fake_generations.h"
#include "test/serve/test_server.h"

namespace kappa::cli {
namespace {

using serve::GenerationStatus;
using state::GenerationState;
using Lines = std::vector<std::string>;

std::string product_sql(int limit) {
  return "CREATE FOREIGN TABLE sales (id text, amount bigint, PRIMARY KEY (id))\n"
         "SERVER log OPTIONS (format 'json');\n"
         "CREATE MATERIALIZED VIEW large AS SELECT amount, count(*) AS n FROM sales\n"
         "WHERE amount > " +
         std::to_string(limit) + " GROUP BY amount;\n";
}

// A data directory whose catalogue has the product "shop" with the limit 100 as generation 1, and
// a server that holds it. The product's directory says 500.
struct Fixture {
  Fixture() {
    server.start();
    serve::ServedProduct shop = server.product();
    shop.generations = &control;
    server.server->set_product(shop);
    auto locked = state::DataDirectory::lock(data, "test");
    REQUIRE(locked.ok());
    directory = *std::move(locked);
    REQUIRE(directory->publish_address(server.address()).ok());
    put({{1, GenerationState::kLive, 0, {{"product.sql", product_sql(100)}}, "then"}});
    REQUIRE(server.client()->create_topic("sales", {}).ok());
    scratch.file("shop/product.sql", product_sql(500));
  }
  void put(std::vector<state::GenerationInfo> generations) const {
    auto catalogue = state::Catalogue::open(data);
    REQUIRE(catalogue->put({"shop", 1, std::move(generations)}).ok());
  }
  Lines words(const Lines& more = {}) const {
    Lines all = {"apply", scratch.path("shop"), "--data", data};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // The generation 2 is ready once it has been started.
  void make_ready_when_started() {
    while (control.generations().size() < 2) std::this_thread::yield();
    make_ready();
  }
  void make_ready() {
    GenerationStatus ready = serve::replaying_generation(2);
    ready.state = GenerationState::kReady;
    control.set({serve::live_generation(1), ready});
  }

  Scratch scratch;
  std::string data = scratch.path("data");
  serve::FakeGenerations control;
  serve::TestServer server;
  std::unique_ptr<state::DataDirectory> directory;
};

}  // namespace

TEST_CASE("apply of files that change nothing says so and ends with 0") {
  const Fixture fixture;
  fixture.scratch.file("shop/product.sql", product_sql(100));
  const Ended ended = kappa(fixture.words());
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Catch::Contains("nothing changes"));
  CHECK(fixture.control.asked().empty());
}

TEST_CASE("apply plans and replays the course that it is given, and that alone") {
  Fixture fixture;
  const Lines course = {"--auto-approve",       "--output", "json",     "--from",
                        "2023-11-14T22:13:20Z", "--order",  "log-time", "--recompute-all"};
  Process applying(fixture.scratch.directory(), fixture.words(course));
  fixture.make_ready_when_started();
  const Ended ended = applying.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  const auto plan = nlohmann::json::parse(ended.out.substr(0, ended.out.find('\n')));
  CHECK(plan["event"] == "plan");
  CHECK(plan["from_timestamp"] == "2023-11-14T22:13:20Z");
  CHECK(plan["order"] == "log-time");
  CHECK(plan["recompute_all"] == true);
  CHECK(fixture.control.asked().front() ==
        "start 0 cores 0 a second from 1700000000000 by log time and all of it");
}

TEST_CASE("apply of files that change nothing replays them if its course computes all again") {
  Fixture fixture;
  fixture.scratch.file("shop/product.sql", product_sql(100));
  Process applying(fixture.scratch.directory(),
                   fixture.words({"--auto-approve", "--recompute-all"}));
  fixture.make_ready_when_started();
  const Ended ended = applying.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Catch::Contains("nothing changes, but all is computed again\n") &&
                            Catch::Contains("\ngeneration 2 replays\n"));
  CHECK(fixture.control.asked().front() == "start 0 cores 0 a second and all of it");
  const Ended later = kappa(fixture.words({"--from", "9999-12-31"}));
  CHECK(later.code == 1);
  CHECK_THAT(later.err, Catch::Contains("which is still to come"));
}

TEST_CASE("apply of files that change nothing ends with 0 if the live generation began so, too") {
  const Fixture fixture;
  state::GenerationInfo live = {
      1, GenerationState::kLive, 0, {{"product.sql", product_sql(100)}}, "then"};
  live.start.from_ms = 1'700'000'000'000;
  fixture.put({live});
  fixture.scratch.file("shop/product.sql", product_sql(100));
  const Ended ended = kappa(fixture.words({"--from", "2023-11-14T22:13:20Z", "--auto-approve"}));
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Catch::Contains("nothing changes\n"));
  CHECK(fixture.control.asked().empty());
}

TEST_CASE("apply in a pipe shows the plan, does nothing and ends with 2") {
  const Fixture fixture;
  const Ended ended = kappa(fixture.words());
  INFO(ended.err);
  CHECK(ended.code == 2);
  CHECK_THAT(ended.out, Catch::Contains("~ view large  its statement has changed; replayed"));
  CHECK(ended.err == "kappa: nothing is done without --auto-approve\n");
  CHECK(fixture.control.asked().empty());
}

TEST_CASE("apply --auto-approve replays, compares and swaps") {
  Fixture fixture;
  Process applying(fixture.scratch.directory(), fixture.words({"--auto-approve", "--max-rate", "9",
                                                               "--require-equal", "sales"}));
  fixture.make_ready_when_started();
  const Ended ended = applying.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK_THAT(ended.out, Catch::Contains("~ view large") &&
                            Catch::Contains("\ngeneration 2 replays\n") &&
                            Catch::Contains("1 of 3 views is equal") &&
                            Catch::Contains("generation 2 is live, in place of generation 1"));
  CHECK(fixture.control.asked() ==
        Lines{"start 0 cores 9 a second", "compare 2 samples 0", "swap 2 require sales"});
  CHECK(fixture.control.files().at("product.sql") == product_sql(500));
}

TEST_CASE("apply as JSON is a line a step") {
  Fixture fixture;
  Process applying(fixture.scratch.directory(),
                   fixture.words({"--auto-approve", "--output", "json"}));
  fixture.make_ready_when_started();
  const Ended ended = applying.wait();
  CHECK(ended.code == 0);
  std::istringstream lines(ended.out);
  Lines events;
  for (std::string line; std::getline(lines, line);) {
    const std::string event = nlohmann::json::parse(line)["event"];
    if (events.empty() || events.back() != event) events.push_back(event);
  }
  CHECK(events == Lines{"plan", "replay", "progress", "comparison", "swap"});
}

TEST_CASE("apply leaves the generation ready if views differ that must be equal") {
  Fixture fixture;
  Process applying(fixture.scratch.directory(),
                   fixture.words({"--auto-approve", "--require-equal", "sales,totals"}));
  fixture.make_ready_when_started();
  const Ended ended = applying.wait();
  CHECK(ended.code == 1);
  CHECK_THAT(ended.err, Catch::Contains("must be equal and differ: totals; generation 2 is left"));
  CHECK(fixture.control.asked().back() == "compare 2 samples 0");
}

TEST_CASE("apply goes on with a replay of exactly these files, and only with that") {
  Fixture fixture;
  const state::GenerationInfo live = {
      1, GenerationState::kLive, 0, {{"product.sql", product_sql(100)}}, "then"};
  fixture.put({live, {2, GenerationState::kReady, 0, {{"product.sql", product_sql(500)}}, "now"}});
  fixture.make_ready();
  const Ended ended = kappa(fixture.words({"--auto-approve"}));
  CHECK(ended.code == 0);
  CHECK_THAT(ended.err, Catch::Contains("generation 2 is of these files and is ready"));
  CHECK(fixture.control.asked() == Lines{"compare 2 samples 0", "swap 2 require "});
  fixture.put({live, {2, GenerationState::kReady, 0, {{"product.sql", product_sql(7)}}, "now"}});
  fixture.control.fail_with(absl::FailedPreconditionError("generation 2 is there already"));
  const Ended other = kappa(fixture.words({"--auto-approve"}));
  CHECK(other.code == 1);
  CHECK(fixture.control.asked().back() == "start 0 cores 0 a second");
  CHECK_THAT(other.err, Catch::Contains("generation 2 is there already"));
}

TEST_CASE("apply asks who sits at a terminal, before the replay and before the swap") {
  Fixture fixture;
  Terminal terminal(fixture.words());
  REQUIRE(terminal.wait_for("start the replay? [y/N] "));
  CHECK(fixture.control.asked().empty());
  terminal.type("y\n");
  REQUIRE(terminal.wait_for("25 %  25000 of 100000 records  1000/s  1:40 left"));
  fixture.make_ready();
  REQUIRE(terminal.wait_for("make generation 2 the live one? [y/N] "));
  CHECK_THAT(terminal.shown(), Catch::Contains("1 of 3 views is equal"));
  CHECK(fixture.control.asked().back() == "compare 2 samples 0");
  terminal.type("y\n");
  CHECK(terminal.wait() == 0);
  CHECK_THAT(terminal.shown(), Catch::Contains("generation 2 is live"));
}

TEST_CASE("apply does nothing on no, and leaves what is ready on a no to the swap") {
  Fixture fixture;
  {
    Terminal terminal(fixture.words());
    REQUIRE(terminal.wait_for("[y/N] "));
    terminal.type("n\n");
    CHECK(terminal.wait() == 1);
    CHECK_THAT(terminal.shown(), Catch::Contains("nothing was done"));
    CHECK(fixture.control.asked().empty());
  }
  Terminal terminal(fixture.words());
  REQUIRE(terminal.wait_for("start the replay? [y/N] "));
  terminal.type("y\n");
  fixture.make_ready_when_started();
  REQUIRE(terminal.wait_for("the live one? [y/N] "));
  terminal.type("\n");
  CHECK(terminal.wait() == 1);
  CHECK_THAT(terminal.shown(), Catch::Contains("generation 2 is left ready"));
  CHECK(fixture.control.asked().back() == "compare 2 samples 0");
}

TEST_CASE("replay swap asks who sits at a terminal") {
  Fixture fixture;
  fixture.make_ready();
  for (const std::string answer : {"n\n", "y\n"}) {
    Terminal terminal({"replay", "swap", "--data", fixture.data});
    REQUIRE(terminal.wait_for("make generation 2 the live one? [y/N] "));
    terminal.type(answer);
    CHECK(terminal.wait() == (answer == "y\n" ? 0 : 1));
  }
  CHECK(fixture.control.asked() == Lines{"swap 2 require "});
}

TEST_CASE("replay status --watch redraws its table on a terminal") {
  Fixture fixture;
  fixture.control.set({serve::live_generation(1), serve::replaying_generation(2)});
  Terminal terminal({"replay", "status", "--watch", "--data", fixture.data});
  REQUIRE(terminal.wait_for("replaying"));
  fixture.make_ready();
  REQUIRE(terminal.wait_for("\x1b[4A\r\x1b[J"));
  CHECK(terminal.wait() == 0);
  CHECK_THAT(terminal.shown(), Catch::Contains("ready"));
}

}  // namespace kappa::cli
