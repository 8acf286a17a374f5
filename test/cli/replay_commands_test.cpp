// The binary's `replay` and `apply` against a server of the test's own, whose generations are moved
// by hand.
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/serve/fake_generations.h"
#include "test/serve/test_server.h"

namespace kappa::cli {
namespace {

using serve::GenerationStatus;
using state::GenerationState;
using Lines = std::vector<std::string>;

GenerationStatus in_state(GenerationStatus status, GenerationState state) {
  status.state = state;
  return status;
}

// A server with the product "shop".
struct Fixture {
  Fixture() {
    server.start();
    serve::ServedProduct shop = server.product();
    shop.generations = &control;
    server.server->set_product(shop);
    scratch.file("shop/product.sql", "SELECT 1;\n");
    scratch.file("shop/README.md", "not part of it\n");
  }
  Ended replay(Lines words) const {
    words.insert(words.begin(), "replay");
    words.insert(words.end(), {"--server", server.address()});
    Ended ended = kappa(words);
    INFO(ended.out << ended.err);
    return ended;
  }
  // The generation 2 is ready; 1 is live.
  void make_ready() {
    control.set({serve::live_generation(1),
                 in_state(serve::replaying_generation(2), GenerationState::kReady)});
  }

  Scratch scratch;
  serve::FakeGenerations control;
  serve::TestServer server;  // goes first
};

}  // namespace

TEST_CASE("every command below replay has help with examples and takes --output") {
  for (const char* verb :
       {"start", "status", "pause", "resume", "cancel", "diff", "swap", "rollback", "gc"}) {
    INFO(verb);
    const Ended help = kappa({"replay", verb, "--help"});
    CHECK(help.code == 0);
    CHECK_THAT(help.out, Catch::Contains(std::string("Usage: kappa replay ") + verb + " "));
    CHECK_THAT(help.out, Catch::Contains("Examples:\n  kappa replay "));
    CHECK_THAT(help.out, Catch::Contains("--output"));
  }
  CHECK_THAT(kappa({"completion", "bash"}).out,
             Catch::Contains("replay) words=\"start status pause"));
}

TEST_CASE("a wrong command line of replay ends with 2 and names the help") {
  const auto refusal = [](const Lines& words) {
    const Ended ended = kappa(words);
    CHECK(ended.code == 2);
    return ended.err;
  };
  CHECK_THAT(refusal({"replay"}),
             Catch::Contains("Usage: kappa replay ") && Catch::Contains("rollback"));
  CHECK_THAT(refusal({"replay", "strat"}),
             Catch::Contains("there is no command \"strat\"; did you mean \"start\"?") &&
                 Catch::Contains("see: kappa replay --help"));
  CHECK_THAT(refusal({"replay", "start"}), Catch::Contains("see: kappa replay start --help"));
  CHECK_THAT(refusal({"replay", "start", "d", "--max-cpu", "0"}),
             Catch::Contains("--max-cpu: expected a number above 0, got 0"));
  CHECK_THAT(refusal({"replay", "diff", "--samples", "101"}),
             Catch::Contains("--samples: expected a whole number from 0 to 100, got 101"));
  CHECK_THAT(refusal({"replay", "pause", "0"}), Catch::Contains("expected a whole number from 1"));
  CHECK_THAT(refusal({"replay", "pause", "--yes"}), Catch::Contains("--yes"));
}

TEST_CASE("a configuration file's section is that of replay, for all its commands") {
  const Scratch scratch;
  const std::string file = scratch.file("kappa.yaml", "replay:\n  data: /from/file\n");
  const Ended ended = kappa({"replay", "status", "--config", file});
  CHECK(ended.code == 1);
  CHECK_THAT(ended.err, Catch::Contains("there is no data directory /from/file"));
}

TEST_CASE("replay and apply need a server, and say how to start one") {
  const Scratch scratch;
  scratch.file("shop/product.sql", "SELECT 1;\n");
  scratch.file("data/empty", "");
  for (const Lines& words :
       {Lines{"replay", "status"}, Lines{"replay", "start", scratch.path("shop")},
        Lines{"replay", "swap", "--yes"}, Lines{"apply", scratch.path("shop")}}) {
    Lines all = words;
    all.insert(all.end(), {"--data", scratch.path("data")});
    const Ended ended = kappa(all);
    CHECK(ended.code == 1);
    CHECK_THAT(ended.err, Catch::Contains("nobody serves the data directory ") &&
                              Catch::Contains("kappa serve --data " + scratch.path("data")) &&
                              Catch::Contains("--server"));
  }
}

TEST_CASE("replay start sends the product's files and says what to do next") {
  const Fixture fixture;
  const std::string directory = fixture.scratch.path("shop");
  const Ended ended = fixture.replay({"start", directory, "--max-cpu", "1.5"});
  CHECK(ended.code == 0);
  CHECK(ended.out == "generation 2 of product shop replays\n");
  CHECK_THAT(ended.err, Catch::Contains("kappa replay status --watch") &&
                            Catch::Contains("kappa replay swap 2"));
  CHECK(fixture.control.asked() == Lines{"start 1.5 cores 0 a second"});
  CHECK(fixture.control.files().size() == 1);
  CHECK(fixture.control.files().at("product.sql") == "SELECT 1;\n");
  const Ended json = fixture.replay({"start", directory, "--output", "json"});
  CHECK(nlohmann::json::parse(json.out)["generation"] == 2);
}

TEST_CASE("replay start says from when, in which order, and whether all is computed") {
  const Fixture fixture;
  const std::string directory = fixture.scratch.path("shop");
  const Ended ended = fixture.replay({"start", directory, "--from", "2023-11-14T22:13:20Z",
                                      "--order", "log-time", "--recompute-all"});
  CHECK(ended.code == 0);
  CHECK(fixture.control.asked() ==
        Lines{"start 0 cores 0 a second from 1700000000000 by log time and all of it"});
  CHECK(fixture.replay({"start", directory, "--max-memory", "2"}).code == 0);
  CHECK(fixture.control.asked().back() == "start 0 cores 0 a second 2097152 bytes");
  CHECK(fixture.replay({"start", directory, "--max-memory", "0"}).code == 2);
  CHECK_THAT(fixture.replay({"start", directory, "--from", "yesterday"}).err,
             Catch::Contains("expected a time from 1970 on"));
  CHECK(fixture.replay({"start", directory, "--from", "1960-01-01"}).code == 2);
  CHECK(fixture.replay({"start", directory, "--order", "offset"}).code == 2);
}

TEST_CASE("replay start --wait ends once the generation is ready, in silence in a pipe") {
  Fixture fixture;
  Process waiting(fixture.scratch.directory(), {"replay", "start", fixture.scratch.path("shop"),
                                                "--wait", "--server", fixture.server.address()});
  while (fixture.control.asked().empty()) std::this_thread::yield();
  fixture.make_ready();
  const Ended ended = waiting.wait();
  CHECK(ended.code == 0);
  CHECK(ended.out == "generation 2 of product shop is ready\n");
  CHECK(ended.err == "kappa: what to do now: kappa replay diff 2, kappa replay swap 2\n");
}

TEST_CASE("replay start --wait ends with 1 if the replay fails or is cancelled") {
  Fixture fixture;
  const auto run = [&](std::vector<GenerationStatus> then) {
    fixture.control.set({serve::live_generation(1)});
    const size_t asked = fixture.control.asked().size();
    Process waiting(fixture.scratch.directory(), {"replay", "start", fixture.scratch.path("shop"),
                                                  "--wait", "--server", fixture.server.address()});
    while (fixture.control.asked().size() == asked) std::this_thread::yield();
    // The fake adds its generation behind the note of the request.
    while (fixture.control.generations().size() < 2) std::this_thread::yield();
    fixture.control.set(std::move(then));
    const Ended ended = waiting.wait();
    CHECK(ended.code == 1);
    CHECK(ended.out.empty());
    return ended.err;
  };
  GenerationStatus failed = serve::replaying_generation(2);
  failed.failure = absl::DataLossError("the log lacks records");
  CHECK_THAT(run({serve::live_generation(1), failed}),
             Catch::Contains("generation 2 has stopped: the log lacks records"));
  CHECK_THAT(run({serve::live_generation(1)}), Catch::Contains("generation 2 is gone"));
}

TEST_CASE("replay status prints a table, or JSON") {
  Fixture fixture;
  fixture.control.set({serve::live_generation(1), serve::replaying_generation(2)});
  const Ended table = fixture.replay({"status"});
  CHECK(table.code == 0);
  CHECK_THAT(table.out, Catch::StartsWith("generation\tstate\trecords\t"));
  CHECK_THAT(table.out, Catch::Contains("2\treplaying\t25000\t75000\t1000/s\t1:40\t"));
  const auto json = nlohmann::json::parse(fixture.replay({"status", "--output", "json"}).out);
  REQUIRE(json["generations"].size() == 2);
  CHECK(json["generations"][1]["state"] == "replaying");
}

TEST_CASE("replay status --watch goes on until nothing replays: a JSON object a line") {
  Fixture fixture;
  fixture.control.set({serve::live_generation(1), serve::replaying_generation(2)});
  Process watching(fixture.scratch.directory(), {"replay", "status", "--watch", "--output", "json",
                                                 "--server", fixture.server.address()});
  REQUIRE(watching.wait_for_output("\n"));
  fixture.make_ready();
  const Ended ended = watching.wait();
  CHECK(ended.code == 0);
  std::istringstream lines(ended.out);
  Lines states;
  for (std::string line; std::getline(lines, line);) {
    states.push_back(nlohmann::json::parse(line)["generations"][1]["state"]);
  }
  REQUIRE(states.size() >= 2);
  CHECK(states.front() == "replaying");
  CHECK(states.back() == "ready");
}

TEST_CASE("pause, resume and cancel mean the only replay, or the one that is named") {
  Fixture fixture;
  CHECK_THAT(fixture.replay({"pause"}).err, Catch::Contains("no generation is replaying or ready"));
  fixture.control.set({serve::live_generation(1), serve::replaying_generation(2)});
  CHECK(fixture.replay({"pause"}).out == "generation 2 is paused\n");
  CHECK(fixture.replay({"resume", "2"}).out == "generation 2 goes on\n");
  CHECK(fixture.replay({"resume", "--max-rate", "500"}).code == 0);
  CHECK(fixture.replay({"cancel", "--output", "json"}).code == 0);
  const Ended unknown = fixture.replay({"cancel", "7"});
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.err,
             Catch::Contains("there is no generation 7; there are 1 (live), 2 (replaying)"));
  CHECK(fixture.control.asked() ==
        Lines{"pause 2", "resume 2", "resume 2 with 1.5 cores 500 a second", "cancel 2"});
}

TEST_CASE("replay diff ends with 2 if views differ, and with 0 if those do not that must not") {
  Fixture fixture;
  fixture.make_ready();
  const Ended differ = fixture.replay({"diff", "--samples", "5"});
  CHECK(differ.code == 2);
  CHECK_THAT(differ.out, Catch::Contains("~ store s1, sales 4 → 5"));
  CHECK(fixture.control.asked() == Lines{"compare 0 samples 5"});
  CHECK(fixture.replay({"diff", "--require-equal", "sales"}).code == 0);
  const Ended required = fixture.replay({"diff", "2", "--require-equal", "sales,totals"});
  CHECK(required.code == 2);
  CHECK(required.err == "kappa: must be equal and differ: totals\n");
  CHECK(fixture.replay({"diff", "--require-equal", "all"}).code == 2);
  CHECK(fixture.replay({"diff", "--require-equal", "sale"}).code == 1);
  const Ended json = fixture.replay({"diff", "--output", "json"});
  CHECK(json.code == 2);
  CHECK(nlohmann::json::parse(json.out)["views"].size() == 3);
  serve::Comparison equal = serve::example_comparison();
  equal.views.resize(1);
  fixture.control.set_comparison(equal);
  CHECK(fixture.replay({"diff"}).code == 0);
}

TEST_CASE("replay swap does nothing in a pipe without --yes, and tells what it did with it") {
  Fixture fixture;
  CHECK_THAT(fixture.replay({"swap", "--yes"}).err, Catch::Contains("no generation is ready"));
  fixture.make_ready();
  const Ended asked = fixture.replay({"swap"});
  CHECK(asked.code == 2);
  CHECK(asked.err ==
        "kappa: generation 2 would be made the live one; nothing is done without --yes\n");
  CHECK(fixture.control.asked().empty());
  const Ended done =
      fixture.replay({"swap", "--require-equal", "all", "--keep-following", "--yes"});
  CHECK(done.code == 0);
  CHECK(done.out ==
        "generation 2 is live, in place of generation 1; records were held for 0.012 s of 1.500 "
        "s\n");
  CHECK(done.err == "kappa: the way back: kappa replay rollback\n");
  const Ended json =
      fixture.replay({"swap", "2", "--require-equal", "sales,totals", "--yes", "--output", "json"});
  CHECK(nlohmann::json::parse(json.out)["held_seconds"] == 0.012);
  CHECK(fixture.control.asked() == Lines{"swap 2 require * keep", "swap 2 require sales,totals"});
}

TEST_CASE("replay rollback and gc do nothing in a pipe without --yes") {
  Fixture fixture;
  CHECK(fixture.replay({"rollback"}).code == 2);
  CHECK(fixture.control.asked().empty());
  const Ended back = fixture.replay({"rollback", "--keep-following", "--yes"});
  CHECK(back.code == 0);
  CHECK_THAT(back.out, Catch::StartsWith("generation 1 is live, in place of generation 2;"));
  const Ended nothing = fixture.replay({"gc"});
  CHECK(nothing.code == 0);
  CHECK(nothing.out == "there is nothing to remove\n");
  fixture.control.set({in_state(serve::live_generation(1), GenerationState::kRetired),
                       in_state(serve::live_generation(2), GenerationState::kRetired),
                       serve::live_generation(3)});
  const Ended asked = fixture.replay({"gc"});
  CHECK(asked.code == 2);
  CHECK_THAT(asked.err, Catch::Contains("1 retired generation would be removed"));
  CHECK(fixture.replay({"gc", "--yes"}).out == "removed generation 1\n");
  CHECK(fixture.replay({"gc", "--keep", "0", "--yes"}).out == "removed generations 1, 2\n");
}

TEST_CASE("what the server refuses ends with 1 and its words") {
  Fixture fixture;
  fixture.make_ready();
  fixture.control.fail_with(absl::AbortedError("a comparison runs; try again once it is done"));
  const Ended ended = fixture.replay({"swap", "--yes"});
  CHECK(ended.code == 1);
  CHECK(ended.out.empty());
  CHECK(ended.err == "kappa: error: a comparison runs; try again once it is done\n");
}

}  // namespace kappa::cli
