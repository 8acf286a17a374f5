// Replay, through the client, over generations that the test moves by hand.
#include <chrono>
#include <limits>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"
#include "test/serve/fake_generations.h"
#include "test/serve/raw_call.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

constexpr int64_t kTimeoutMs = 60'000;
// Within it a call comes to the server, however busy the machine is.
constexpr int64_t kReachesServerMs = 3'000;
const std::map<std::string, std::string> kFiles = {{"product.sql", "SELECT 1"},
                                                   {"models/m.bin", std::string("\xff\x00", 2)}};

// A server with the product "shop", which can replay, and "bank", which cannot.
struct ReplayServer {
  explicit ReplayServer(const std::string& tokens = "") {
    server.options.audit = [this](const std::string& line) {
      std::lock_guard lock(mutex);
      lines.push_back(line);
    };
    if (!tokens.empty()) {
      server.options.tokens_file = server.directory.write("tokens", tokens);
    }
  }
  void start() {
    ServedProduct bank = server.product();
    bank.name = "bank";
    server.more_products = {bank};
    server.start();
    ServedProduct shop = server.product();
    shop.generations = &control;
    server.server->set_product(shop);
  }
  std::vector<std::string> audit() {
    std::lock_guard lock(mutex);
    return lines;
  }
  // The audit's lines since the last look, without the callers' ports.
  std::vector<std::string> deeds() {
    std::vector<std::string> found;
    std::lock_guard lock(mutex);
    for (const std::string& line : lines) {
      const size_t at = line.find("ipv4:127.0.0.1:");
      REQUIRE(at != std::string::npos);
      found.push_back(line.substr(0, at) + "…" + line.substr(line.find(": ", at + 15)));
    }
    lines.clear();
    return found;
  }
  // The only one of them.
  std::string deed() {
    const std::vector<std::string> found = deeds();
    REQUIRE(found.size() == 1);
    return found[0];
  }

  FakeGenerations control;
  std::mutex mutex;
  std::vector<std::string> lines;
  TestServer server;  // goes first
};

std::string reason_of(const absl::Status& status) {
  return details_of(status).reason;
}

// Every method once, on a product and a generation: what each ended with.
std::vector<absl::Status> call_all(Client& client, const std::string& product,
                                   uint32_t generation) {
  return {client.generations(product).status(),
          client.start_replay(product, {kFiles, {}, {}}).status(),
          client.pause_replay(product, generation),
          client.resume_replay(product, generation, std::nullopt),
          client.cancel_replay(product, generation),
          client.compare_generations(product, generation, 0, kTimeoutMs).status(),
          client.swap_generation(product, {generation, {}, false}, kTimeoutMs).status(),
          client.roll_back(product, false, kTimeoutMs).status(),
          client.drop_retired_generations(product, 1).status()};
}

// The field that is said to be wrong.
std::string field(const absl::Status& status) {
  INFO(status.ToString());
  REQUIRE(absl::IsInvalidArgument(status));
  return details_of(status).violations.at(0).field;
}

TEST_CASE("generations are listed with everything that is known of them") {
  ReplayServer server;
  server.start();
  GenerationStatus failed = replaying_generation(3);
  failed.runs = false;
  failed.failure = absl::DataLossError("the log lacks records");
  GenerationStatus paused = replaying_generation(4);
  paused.paused = true;
  GenerationStatus retired = live_generation(5);
  retired.state = state::GenerationState::kRetired;
  GenerationStatus ready = live_generation(6);
  ready.state = state::GenerationState::kReady;
  server.control.set({live_generation(1), replaying_generation(2), failed, paused, retired, ready});
  const auto listed = server.server.client()->generations("shop");
  INFO(listed.status().ToString());
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 6);
  const GenerationStatus& two = (*listed)[1];
  CHECK(two.id == 2);
  CHECK(two.state == state::GenerationState::kReplaying);
  CHECK(two.runs);
  CHECK_FALSE(two.paused);
  CHECK(two.failure.ok());
  CHECK(two.created == "2024-05-01T10:00:00Z");
  CHECK(two.plan_fingerprint == 0xabc);
  CHECK(two.budget == ReplayBudget{1.5, 0});
  CHECK(two.records == 25'000);
  CHECK(two.records_remaining == 75'000);
  CHECK(two.eta_seconds() == 100);
  CHECK(two.watermark == EventTime{1'714'557'600'000'000});
  CHECK(two.state_bytes == 3 << 20);
  CHECK((*listed)[0].state == state::GenerationState::kLive);
  CHECK((*listed)[0].watermark == kNoEventTime);
  CHECK((*listed)[2].failure.message() == "the log lacks records");
  CHECK((*listed)[3].paused);
  CHECK((*listed)[4].state == state::GenerationState::kRetired);
  CHECK((*listed)[5].state == state::GenerationState::kReady);
}

TEST_CASE("a replay is started with its files and budget, and is on record") {
  ReplayServer server;
  server.start();
  const auto started = server.server.client()->start_replay("shop", {kFiles, {2, 500}, {"old"}});
  INFO(started.status().ToString());
  REQUIRE(started.ok());
  CHECK(started->id == 2);
  CHECK(started->state == state::GenerationState::kReplaying);
  CHECK(started->budget == ReplayBudget{2, 500});
  CHECK(server.control.files() == kFiles);
  CHECK(server.control.asked() ==
        std::vector<std::string>{"start 2 cores 500 a second without all of old"});
  CHECK(server.deed() ==
        "done kappa.v1.Replay/StartReplay by …: product shop, generation 2 replays");
}

TEST_CASE("a replay begins where it is asked to, in the order that it is asked for") {
  ReplayServer server;
  server.start();
  ReplayRequest request{kFiles, {}, {}};
  request.start = {state::ReplayStart::Order::kLogTime, 1'700'000'000'000};
  request.recompute_all = true;
  const auto started = server.server.client()->start_replay("shop", request);
  INFO(started.status().ToString());
  REQUIRE(started.ok());
  CHECK(started->start == request.start);
  CHECK(started->kept_views == std::vector<std::string>{"kept"});
  CHECK(server.control.asked() ==
        std::vector<std::string>{
            "start 0 cores 0 a second from 1700000000000 by log time and all of it"});
  request.start.from_ms = -1;
  CHECK(field(server.server.client()->start_replay("shop", request).status()) ==
        "start.from_timestamp_ms");
  request.start.from_ms = INT64_MAX;
  CHECK(field(server.server.client()->start_replay("shop", request).status()) ==
        "start.from_timestamp_ms");
}

TEST_CASE("a replay is paused, resumed with and without another budget, and cancelled") {
  ReplayServer server;
  server.start();
  server.control.set({live_generation(1), replaying_generation(2)});
  const auto client = server.server.client();
  CHECK(client->pause_replay("shop", 2).ok());
  CHECK(client->resume_replay("shop", 0, std::nullopt).ok());
  CHECK(client->resume_replay("shop", 2, ReplayBudget{0, 7}).ok());
  CHECK(server.audit().empty());
  CHECK(client->cancel_replay("shop", 2).ok());
  CHECK(server.control.asked() == std::vector<std::string>{"pause 2", "resume 0",
                                                           "resume 2 with 0 cores 7 a second",
                                                           "cancel 2"});
  CHECK(server.deed() ==
        "done kappa.v1.Replay/CancelReplay by …: product shop, generation 2 is removed");
}

TEST_CASE("a comparison arrives with its counts and rows, in the types of either side") {
  ReplayServer server;
  server.start();
  server.control.set({live_generation(1), replaying_generation(2)});
  const auto compared = server.server.client()->compare_generations("shop", 2, 100, kTimeoutMs);
  INFO(compared.status().ToString());
  REQUIRE(compared.ok());
  CHECK(server.control.asked() == std::vector<std::string>{"compare 2 samples 100"});
  const Comparison expected = example_comparison();
  CHECK(compared->before == 1);
  CHECK(compared->after == 2);
  CHECK(compared->place == expected.place);
  REQUIRE(compared->views.size() == 3);
  CHECK(compared->views[0].equal());
  const ViewDifference& totals = compared->views[1];
  CHECK_FALSE(totals.equal());
  CHECK(totals.rows_before == 10);
  CHECK(totals.rows_after == 11);
  CHECK(totals.checksum_before == 0xaaaa);
  CHECK(totals.checksum_after == 0xbbbb);
  CHECK(totals.changed == 3);
  CHECK(totals.added == 2);
  CHECK(totals.removed == 1);
  CHECK(totals.columns == expected.views[1].columns);
  CHECK(totals.columns_before.empty());
  CHECK(totals.columns_after == std::vector<std::string>{"returns"});
  CHECK(totals.sample_columns == expected.views[1].sample_columns);
  REQUIRE(totals.samples.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(totals.samples[i].before == expected.views[1].samples[i].before);
    CHECK(totals.samples[i].after == expected.views[1].samples[i].after);
  }
  CHECK(compared->views[2].incomparable == "only generation 2 has it");
}

TEST_CASE("a swap and a rollback say what they did, and are on record with their caller") {
  ReplayServer server("ops oooooooooooooooo admin\n");
  server.start();
  server.control.set({live_generation(1), replaying_generation(2)});
  ClientOptions options;
  options.token_file = server.server.directory.write("token", "oooooooooooooooo");
  const auto client = server.server.client(options);
  const auto swapped = client->swap_generation("shop", {2, {"sales", "totals"}, true}, kTimeoutMs);
  REQUIRE(swapped.ok());
  CHECK(swapped->from == 1);
  CHECK(swapped->to == 2);
  CHECK(swapped->seconds == 1.5);
  CHECK(swapped->held_seconds == 0.012);
  CHECK(server.deed() ==
        "done kappa.v1.Replay/SwapGeneration by ops at …: product shop, generation 2 is live in "
        "place "
        "of 1");
  const auto back = client->roll_back("shop", false, kTimeoutMs);
  REQUIRE(back.ok());
  CHECK(back->to == 1);
  CHECK(server.control.asked() ==
        std::vector<std::string>{"swap 2 require sales,totals keep", "roll back"});
  CHECK(server.deed() ==
        "done kappa.v1.Replay/RollBack by ops at …: product shop, generation 1 is live in place of "
        "2");
}

TEST_CASE("retired generations are dropped, and only then on record") {
  ReplayServer server;
  server.start();
  const auto client = server.server.client();
  const auto none = client->drop_retired_generations("shop", 0);
  REQUIRE(none.ok());
  CHECK(none->empty());
  CHECK(server.audit().empty());
  GenerationStatus one = live_generation(1);
  one.state = state::GenerationState::kRetired;
  GenerationStatus two = one;
  two.id = 2;
  server.control.set({one, two, live_generation(3)});
  CHECK(*client->drop_retired_generations("shop", 1) == std::vector<uint32_t>{1});
  CHECK(server.deed() ==
        "done kappa.v1.Replay/DropRetiredGenerations by …: product shop, removed generation 1");
}

// What the audit has of calls of every method on a product and a generation that have failed.
std::vector<std::string> failures(const std::string& product, const std::string& generation,
                                  const std::string& why) {
  std::vector<std::string> lines;
  for (const std::string method :
       {"StartReplay", "CancelReplay", "SwapGeneration", "RollBack", "DropRetiredGenerations"}) {
    const bool names_one = method == "CancelReplay" || method == "SwapGeneration";
    lines.push_back("failed kappa.v1.Replay/" + method + " by …: product " + product +
                    (names_one ? generation : "") + ", " + why);
  }
  return lines;
}

TEST_CASE("a product that is not there or cannot replay is refused by every method") {
  ReplayServer server;
  server.start();
  const auto client = server.server.client();
  std::string why;
  for (const absl::Status& status : call_all(*client, "bakery", 0)) {
    INFO(status.ToString());
    CHECK(absl::IsNotFound(status));
    CHECK(reason_of(status) == "PRODUCT_NOT_FOUND");
    why = std::string(status.message());
  }
  CHECK(server.deeds() == failures("\"bakery\"", "", "NOT_FOUND: " + why));
  for (const absl::Status& status : call_all(*client, "bank", 0)) {
    INFO(status.ToString());
    CHECK(absl::IsFailedPrecondition(status));
    CHECK(reason_of(status) == "NO_REPLAY");
    why = std::string(status.message());
  }
  CHECK(server.deeds() == failures("bank", "", "FAILED_PRECONDITION: " + why));
  for (const absl::Status& status : call_all(*client, "", 0)) {
    CHECK(absl::IsInvalidArgument(status));
    why = std::string(status.message());
  }
  CHECK(server.deeds() == failures("\"\"", "", "INVALID_ARGUMENT: " + why));
  ServedProduct restoring;
  restoring.name = "bank";
  server.server.server->set_product(restoring);
  CHECK(reason_of(client->generations("bank").status()) == "PRODUCT_RESTORING");
  CHECK(server.audit().empty());
}

TEST_CASE("every call that fails to change something is on record, and none that only looks") {
  ReplayServer server("ops oooooooooooooooo admin\n");
  server.start();
  ClientOptions options;
  options.token_file = server.server.directory.write("token", "oooooooooooooooo");
  const auto client = server.server.client(options);
  server.control.fail_with(absl::UnavailableError("the log does not answer"));
  call_all(*client, "shop", 7);
  std::vector<std::string> expected =
      failures("shop", ", generation 7", "UNAVAILABLE: the log does not answer");
  for (std::string& line : expected) line.insert(line.find("…"), "ops at ");
  CHECK(server.deeds() == expected);
}

TEST_CASE("what a failure says stays within one line of the audit, however much it is") {
  ReplayServer server;
  server.start();
  const auto said = [&](const std::string& message) {
    server.control.fail_with(absl::InvalidArgumentError(message));
    CHECK_FALSE(server.server.client()->start_replay("shop", {kFiles, {}, {}}).ok());
    return server.deed();
  };
  const std::string begin =
      "failed kappa.v1.Replay/StartReplay by …: product shop, INVALID_ARGUMENT: ";
  CHECK(said("a.sql:1:8: \"x\"\n  ^\ndone \x1b[1m\x7f") ==
        begin + R"(a.sql:1:8: "x"\n  ^\ndone \x1b[1m\x7f)");
  CHECK(said("caf\u00e9 \xff") == begin + "caf\u00e9 \uFFFD");
  CHECK(said(std::string(1024, 'x')) == begin + std::string(1024, 'x'));
  CHECK(said(std::string(1023, 'x') + "\u00e9") == begin + std::string(1023, 'x') + "…");
}

TEST_CASE("a generation that is not there is told by a reason") {
  ReplayServer server;
  server.start();
  const auto client = server.server.client();
  for (const absl::Status& status :
       {client->pause_replay("shop", 7), client->resume_replay("shop", 7, std::nullopt),
        client->cancel_replay("shop", 7),
        client->compare_generations("shop", 7, 0, kTimeoutMs).status(),
        client->swap_generation("shop", {7, {}, false}, kTimeoutMs).status()}) {
    INFO(status.ToString());
    CHECK(absl::IsNotFound(status));
    CHECK(reason_of(status) == "GENERATION_NOT_FOUND");
    CHECK(details_of(status).metadata.at("product") == "shop");
    CHECK(details_of(status).metadata.at("generation") == "7");
  }
  const std::string why = ": product shop, generation 7, NOT_FOUND: there is no generation 7";
  CHECK(server.deeds() ==
        std::vector<std::string>{"failed kappa.v1.Replay/CancelReplay by …" + why,
                                 "failed kappa.v1.Replay/SwapGeneration by …" + why});
}

TEST_CASE("what the control refuses reaches the caller with a reason, and is on record") {
  ReplayServer server;
  server.start();
  const auto client = server.server.client();
  const auto swapped = [&](absl::Status with) {
    server.control.fail_with(std::move(with));
    return client->swap_generation("shop", {}, kTimeoutMs).status();
  };
  absl::Status status = swapped(absl::FailedPreconditionError("generation 2 is replaying"));
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message() == "generation 2 is replaying");
  CHECK(reason_of(status) == "REPLAY_PRECONDITION");
  status = swapped(absl::AbortedError("a comparison runs"));
  CHECK(absl::IsAborted(status));
  CHECK(reason_of(status) == "OPERATION_RUNNING");
  CHECK(details_of(status).retry_delay_ms == 1000);
  CHECK(absl::IsDeadlineExceeded(swapped(absl::DeadlineExceededError("not there in time"))));
  server.control.fail_with(absl::InvalidArgumentError("product.sql:1:8: what is this"));
  status = client->start_replay("shop", {kFiles, {}, {}}).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() == "product.sql:1:8: what is this");
  const std::string swap = "failed kappa.v1.Replay/SwapGeneration by …: product shop, ";
  CHECK(server.deeds() ==
        std::vector<std::string>{
            swap + "FAILED_PRECONDITION: generation 2 is replaying",
            swap + "ABORTED: a comparison runs", swap + "DEADLINE_EXCEEDED: not there in time",
            "failed kappa.v1.Replay/StartReplay by …: product shop, INVALID_ARGUMENT: "
            "product.sql:1:8: what is this"});
}

TEST_CASE("every method needs the right to admin") {
  ReplayServer server(
      "reader rrrrrrrrrrrrrrrr query ingest metrics\n"
      "ops    oooooooooooooooo admin\n");
  server.start();
  const auto client = [&](const std::string& token) {
    ClientOptions options;
    if (!token.empty()) options.token_file = server.server.directory.write(token, token);
    return server.server.client(options);
  };
  for (const absl::Status& status : call_all(*client(""), "shop", 0)) {
    CHECK(absl::IsUnauthenticated(status));
  }
  for (const absl::Status& status : call_all(*client("rrrrrrrrrrrrrrrr"), "bakery", 0)) {
    CHECK(absl::IsPermissionDenied(status));
  }
  CHECK(server.control.asked().empty());
  CHECK(server.audit().size() == 18);
  for (const std::string& line : server.audit()) CHECK(line.starts_with("denied kappa.v1.Replay/"));
  CHECK(client("oooooooooooooooo")->generations("shop").ok());
}

TEST_CASE("requests that are wrong are refused by field") {
  ReplayServer server;
  server.start();
  const auto client = server.server.client();
  CHECK(field(client->compare_generations("shop", 0, 101, kTimeoutMs).status()) == "samples_max");
  CHECK(client->compare_generations("shop", 0, 100, kTimeoutMs).ok());
  CHECK(field(client->start_replay("shop", {}).status()) == "files");
  for (const char* path : {"", "/etc/passwd", "../product.sql", "a//b", "a/./b", "a\\b", "a/"}) {
    INFO(path);
    CHECK(field(client->start_replay("shop", {{{path, ""}}, {}, {}}).status()) == "files");
  }
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(field(client->start_replay("shop", {kFiles, {-1, 0}, {}}).status()) ==
        "budget.cpu_cores_max");
  CHECK(field(client->resume_replay("shop", 0, ReplayBudget{0, kNan})) ==
        "budget.records_per_second_max");
  CHECK(field(client->start_replay("shop", {kFiles, {0, 0, UINT64_MAX}, {}}).status()) ==
        "budget.memory_bytes_max");
  CHECK(server.control.asked() == std::vector<std::string>{"compare 0 samples 100"});
  const std::vector<std::string> deeds = server.deeds();
  CHECK(deeds.size() == 10);  // all but those of a comparison and a budget
  for (const std::string& deed : deeds) {
    CHECK(deed.starts_with(
        "failed kappa.v1.Replay/StartReplay by …: product shop, INVALID_ARGUMENT: "));
  }
}

TEST_CASE("the server bounds how long a swap may wait, and lists generations meanwhile") {
  ReplayServer server;
  server.server.options.limits.replay_ms_max = 300;
  server.start();
  std::atomic<bool> works = false;
  std::atomic<bool> listed = false;
  server.control.set_long_work([&](runtime::Deadline deadline) {
    works = true;
    while (!listed) std::this_thread::yield();
    // Some of it is left for the answer.
    CHECK(deadline <= std::chrono::steady_clock::now() + std::chrono::milliseconds(270));
    return absl::OkStatus();
  });
  std::thread swapping(
      [&] { CHECK(server.server.client()->roll_back("shop", false, kTimeoutMs).ok()); });
  while (!works) std::this_thread::yield();
  CHECK(server.server.client()->generations("shop").ok());
  listed = true;
  swapping.join();
}

TEST_CASE(
    "a caller's deadline reaches the work a little early, so that its words reach the caller") {
  ReplayServer server;
  server.start();
  server.control.set_long_work([&](runtime::Deadline deadline) {
    std::this_thread::sleep_until(deadline);
    return absl::DeadlineExceededError("generation 2 was 7 records behind");
  });
  const absl::Status status = server.server.client()->swap_generation("shop", {}, 500).status();
  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(status.message() == "generation 2 was 7 records behind");
}

TEST_CASE("a swap is on record although its caller has gone away") {
  ReplayServer server;
  server.start();
  std::atomic<bool> works = false;
  std::atomic<bool> gone = false;
  server.control.set_long_work([&](runtime::Deadline) {
    works = true;
    while (!gone) std::this_thread::yield();
    return absl::OkStatus();
  });
  // RollBackRequest{product: "shop"}; the answer is not waited for.
  std::thread caller([&] {
    const auto answer = raw_call(server.server.address(), "/kappa.v1.Replay/RollBack",
                                 "\x0a\x04shop", kReachesServerMs);
    CHECK(absl::IsDeadlineExceeded(answer.status()));
    gone = true;
  });
  caller.join();
  CHECK(works);
  while (server.audit().empty()) std::this_thread::yield();
  CHECK(server.deed() ==
        "done kappa.v1.Replay/RollBack by …: product shop, generation 1 is live in place of 2");
}

TEST_CASE(
    "a swap that its caller has given up before its turn is not done, and that is on record") {
  ReplayServer server;
  server.server.options.limits.query_threads = 1;
  server.start();
  std::atomic<bool> works = false;
  std::atomic<bool> ends = false;
  server.control.set_long_work([&](runtime::Deadline) {
    works = true;
    while (!ends) std::this_thread::yield();
    return absl::OkStatus();
  });
  const auto client = server.server.client();
  std::thread first([&] { client->roll_back("shop", false, kTimeoutMs).IgnoreError(); });
  while (!works) std::this_thread::yield();
  // SwapGenerationRequest{product: "shop", generation: 2}
  const auto second = raw_call(server.server.address(), "/kappa.v1.Replay/SwapGeneration",
                               std::string("\x0a\x04shop\x10\x02", 8), kReachesServerMs);
  CHECK(absl::IsDeadlineExceeded(second.status()));
  // The server knows that, too, once it has counted the call, by whichever code it came to know.
  const int port = server.server.server->http_port();
  const std::string counted = R"(method="kappa.v1.Replay/SwapGeneration"} 1)";
  while (http_get(port, "/metrics")->body.find(counted) == std::string::npos) {
    std::this_thread::yield();
  }
  SECTION("while the server goes on") {
    ends = true;
    first.join();
    while (server.audit().size() < 2) std::this_thread::yield();
  }
  SECTION("although the server ends before its turn comes") {
    server.server.server->stop(0);  // cancels the first call, whose work goes on
    first.join();
    std::thread ending([&] { server.server.server.reset(); });
    ends = true;
    ending.join();
  }
  CHECK(server.control.asked() == std::vector<std::string>{"roll back"});
  CHECK(server.deeds() ==
        std::vector<std::string>{
            "done kappa.v1.Replay/RollBack by …: product shop, generation 1 is live in place of 2",
            "failed kappa.v1.Replay/SwapGeneration by …: product shop, generation 2, CANCELLED: "
            "the caller went away before its turn"});
}

}  // namespace
}  // namespace kappa::serve
