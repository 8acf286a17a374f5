// Subscribe, through the client, and what it reads with.
#include <atomic>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/output_cursor.h"
#include "kappa/v1/subscribe.pb.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

using Change = OutputEvent::Change;
using Changed = OutputEvent::GenerationChanged;
using Heartbeat = OutputEvent::Heartbeat;
using Lagged = OutputEvent::Lagged;
using Unreadable = OutputEvent::Unreadable;

constexpr const char* kReader = "3c0a6b1f9d5e4b7288aa";
constexpr int64_t kOld = 1000;  // long before any retention

std::vector<schemas::SourceColumn> alert_columns() {
  return {{"id", "id", Type::text()}, {"n", "n", Type::integer()}};
}

// A server whose product writes the topic "alerts", row by row, and "levels", by key.
class Outputs : public TestServer {
 public:
  explicit Outputs(int32_t partitions = 1) {
    views.add_output("alerts", "alerts", alert_columns());
    views.add_output("levels", "levels", alert_columns(), {0}, /*upsert=*/true);
    log::TopicConfig config;
    config.partitions = partitions;
    config.retention_ms = 3'600'000;
    REQUIRE(log->create_topic("alerts", config).ok());
    REQUIRE(log->create_topic("levels", config).ok());
  }

  void append(const std::string& topic, std::optional<std::string> value, int32_t partition = 0,
              std::optional<int64_t> timestamp_ms = std::nullopt,
              std::optional<std::string> key = std::nullopt) {
    log::RecordToAppend record;
    if (key) record.key = *key;
    if (value) record.value = *value;
    record.partition = partition;
    if (timestamp_ms) record.timestamp = LogTime{*timestamp_ms};
    REQUIRE(log->append(topic, {&record, 1}).ok());
  }
  void alert(int n, int32_t partition = 0, std::optional<int64_t> timestamp_ms = std::nullopt) {
    append("alerts", absl::StrCat(R"({"id":"a)", n, R"(","n":)", n, "}"), partition, timestamp_ms);
  }
  void swap_to(uint32_t generation, runtime::ViewReader* reader = nullptr) {
    ServedProduct next = product();
    next.generation = generation;
    if (reader != nullptr) next.reader = reader;
    server->set_product(next);
  }
};

template <typename What>
const What* as(const OutputEvent& event) {
  return std::get_if<What>(&event.what);
}

std::string id_of(const OutputEvent& event) {
  const auto* change = as<Change>(event);
  return change != nullptr && change->row ? to_text((*change->row)[0]) : "";
}

SubscribeOptions from_beginning() {
  SubscribeOptions options;
  options.from_beginning = true;
  return options;
}

SubscribeOptions from_token(const std::string& token) {
  SubscribeOptions options;
  options.resume_token = token;
  return options;
}

// The first messages of a stream.
std::vector<OutputEvent> first(const TestServer& server, const SubscribeOptions& options,
                               size_t count, const std::string& output = "alerts") {
  std::vector<OutputEvent> events;
  const absl::Status status =
      server.client()->subscribe("", output, options, [&](const OutputEvent& event) {
        events.push_back(event);
        return events.size() < count;
      });
  INFO(status.ToString());
  INFO(status.ToString());
  REQUIRE(status.ok());
  return events;
}

absl::Status refusal(const TestServer& server, const SubscribeOptions& options,
                     const std::string& output = "alerts", ClientOptions as_who = {}) {
  return server.client(std::move(as_who))->subscribe("", output, options, [](const OutputEvent&) {
    return true;
  });
}

TEST_CASE("a stream begins with the columns, then has each row with its place") {
  Outputs server;
  server.start();
  server.alert(1, 0, 1'700'000'000'123);
  server.alert(2);
  const auto events = first(server, from_beginning(), 3);
  CHECK(std::holds_alternative<std::monostate>(events[0].what));
  REQUIRE(events[0].columns.size() == 2);
  CHECK(events[0].columns[0] == operators::Field{"id", Type::text()});
  CHECK(events[0].key_columns.empty());
  const auto* change = as<Change>(events[1]);
  REQUIRE(change != nullptr);
  CHECK(change->row == Row{Value::text("a1"), Value::integer(1)});
  CHECK(change->key.empty());
  CHECK(change->timestamp == LogTime{1'700'000'000'123});
  CHECK(change->offset == Offset{0});
  CHECK(id_of(events[2]) == "a2");
}

TEST_CASE("a stream without a token begins at the end, and goes on with what comes") {
  Outputs server;
  server.start();
  server.alert(1);
  std::vector<std::string> ids;
  const absl::Status status =
      server.client()->subscribe("shop", "alerts", {}, [&](const OutputEvent& event) {
        if (as<Change>(event) != nullptr) ids.push_back(id_of(event));
        server.alert(static_cast<int>(ids.size()) + 2);
        return ids.size() < 3;
      });
  INFO(status.ToString());
  REQUIRE(status.ok());
  CHECK(ids == std::vector<std::string>{"a2", "a3", "a4"});
}

TEST_CASE("rows by key come with their key, and deletions with nothing else") {
  Outputs server;
  server.start();
  server.append("levels", R"({"id":"x","n":1})", 0, {}, "x");
  server.append("levels", std::nullopt, 0, {}, "x");
  const auto events = first(server, from_beginning(), 3, "levels");
  CHECK(events[0].key_columns == std::vector<std::string>{"id"});
  REQUIRE(as<Change>(events[1]) != nullptr);
  CHECK(as<Change>(events[1])->key == Row{Value::text("x")});
  CHECK(as<Change>(events[1])->row.has_value());
  REQUIRE(as<Change>(events[2]) != nullptr);
  CHECK(as<Change>(events[2])->key == Row{Value::text("x")});
  CHECK_FALSE(as<Change>(events[2])->row.has_value());
}

TEST_CASE("a stream resumes behind each of its messages, without a loss or a repetition") {
  Outputs server(3);
  server.start();
  for (int n = 0; n < 12; ++n) server.alert(n, n * n % 3);
  const auto all = first(server, from_beginning(), 13);
  for (size_t seen = 1; seen <= all.size(); ++seen) {
    std::multiset<std::string> ids;
    for (size_t i = 1; i < seen; ++i) ids.insert(id_of(all[i]));
    const auto rest = first(server, from_token(all[seen - 1].resume_token), all.size() - seen + 1);
    for (size_t i = 1; i < rest.size(); ++i) ids.insert(id_of(rest[i]));
    CHECK(ids.size() == 12);
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 12);
  }
}

TEST_CASE("a stream that has had everything resumes with what came meanwhile") {
  Outputs server(2);
  server.start();
  server.alert(1, 1);
  const auto all = first(server, from_beginning(), 2);
  server.alert(2, 0);
  const auto rest = first(server, from_token(all[1].resume_token), 2);
  CHECK(id_of(rest[1]) == "a2");
  const auto from_end = first(server, {}, 1);
  server.alert(3, 1);
  CHECK(id_of(first(server, from_token(from_end[0].resume_token), 2)[1]) == "a3");
}

TEST_CASE("records that retention has taken from behind a token are told, until they have been") {
  Outputs server;
  server.start();
  const std::string token = first(server, from_beginning(), 1)[0].resume_token;
  for (int n = 0; n < 3; ++n) server.alert(n, 0, kOld);
  REQUIRE(server.log->enforce_retention().ok());
  server.alert(3);
  auto events = first(server, from_token(token), 3);
  for (int i = 0; i < 2; ++i) {
    const auto* lagged = as<Lagged>(events[1]);
    REQUIRE(lagged != nullptr);
    CHECK(lagged->partition == TopicPartition{"alerts", 0});
    CHECK(lagged->from == Offset{0});
    CHECK(lagged->to == Offset{3});
    CHECK(id_of(events[2]) == "a3");
    events = first(server, from_token(events[0].resume_token), 3);
  }
  CHECK(id_of(first(server, from_token(events[1].resume_token), 2)[1]) == "a3");
}

TEST_CASE("a reader that retention overtakes says what it has lost, and goes on") {
  Outputs server;
  server.start();
  for (int n = 0; n < 3; ++n) server.alert(n, 0, kOld);
  Products products({server.product()});
  auto output = find_output(products, "", "alerts");
  REQUIRE(output.ok());
  auto cursor = OutputCursor::open(*server.log, *output, std::nullopt, true);
  REQUIRE(cursor.ok());
  REQUIRE(server.log->enforce_retention().ok());
  server.alert(3);
  v1::SubscribeResponse event;
  REQUIRE((*cursor)->next(&event).value_or(false));
  REQUIRE(event.has_lagged());
  CHECK(event.lagged().from_offset() == 0);
  CHECK(event.lagged().to_offset() == 3);
  CHECK((*cursor)->places() == std::vector<Offset>{Offset{3}});
  REQUIRE((*cursor)->next(&event).value_or(false));
  CHECK(event.change().offset() == 3);
  CHECK_FALSE((*cursor)->next(&event).value_or(true));
}

TEST_CASE("a token of more than the topic has is refused as one of another topic") {
  Outputs server;
  server.start();
  const uint64_t scope = token_scope("shop", "alerts", "alerts");
  for (const auto& next : {std::vector<Offset>{Offset{1}}, {Offset{0}, Offset{0}}}) {
    const absl::Status status = refusal(server, from_token(encode({scope, 3, next})));
    CHECK(absl::IsFailedPrecondition(status));
    CHECK(details_of(status).reason == "TOKEN_OF_FORMER_TOPIC");
  }
}

TEST_CASE("tokens that are damaged, or of another output, are refused by field") {
  Outputs server;
  server.start();
  const std::string token = first(server, from_beginning(), 1)[0].resume_token;
  for (const std::string& wrong : {token.substr(1), token + "A", std::string("x"),
                                   first(server, {}, 1, "levels")[0].resume_token}) {
    const absl::Status status = refusal(server, from_token(wrong));
    REQUIRE(absl::IsInvalidArgument(status));
    CHECK(details_of(status).violations.at(0).field == "resume_token");
  }
}

TEST_CASE("a swap is told in the stream, and to whoever resumes from before it") {
  Outputs server;
  server.start();
  server.alert(1);
  std::string before;
  std::vector<OutputEvent> events;
  const absl::Status status =
      server.client()->subscribe("", "alerts", from_beginning(), [&](const OutputEvent& event) {
        events.push_back(event);
        if (id_of(event) == "a1") {
          before = event.resume_token;
          server.swap_to(4);
        }
        return as<Changed>(event) == nullptr;
      });
  INFO(status.ToString());
  REQUIRE(status.ok());
  REQUIRE(as<Changed>(events.back()) != nullptr);
  CHECK(as<Changed>(events.back())->from == 3);
  CHECK(as<Changed>(events.back())->to == 4);
  server.alert(2);
  const auto old = first(server, from_token(before), 3);
  REQUIRE(as<Changed>(old[1]) != nullptr);
  CHECK(as<Changed>(old[1])->from == 3);
  CHECK(id_of(old[2]) == "a2");
  CHECK(id_of(first(server, from_token(events.back().resume_token), 2)[1]) == "a2");
}

TEST_CASE("another generation's columns are told before its rows") {
  Outputs server;
  server.start();
  FakeViews next;
  next.add("cards", cards_view());
  auto columns = alert_columns();
  columns.push_back({"why", "why", Type::text()});
  next.add_output("alerts", "alerts", columns);
  std::vector<OutputEvent> events;
  const absl::Status status =
      server.client()->subscribe("", "alerts", {}, [&](const OutputEvent& event) {
        if (events.empty()) server.swap_to(4, &next);
        events.push_back(event);
        if (events.size() == 3) server.append("alerts", R"({"id":"b","n":1,"why":"so"})");
        return events.size() < 4;
      });
  INFO(status.ToString());
  REQUIRE(status.ok());
  CHECK(as<Changed>(events[1]) != nullptr);
  CHECK(events[2].columns.size() == 3);
  REQUIRE(as<Change>(events[3]) != nullptr);
  CHECK(as<Change>(events[3])->row == Row{Value::text("b"), Value::integer(1), Value::text("so")});
  server.server.reset();  // before `next`
}

TEST_CASE("a generation without the output, or with it elsewhere, ends the stream") {
  Outputs server;
  server.start();
  FakeViews without;
  without.add("cards", cards_view());
  FakeViews elsewhere;
  elsewhere.add_output("alerts", "other", alert_columns());
  const auto ends_with = [&](FakeViews* next) {
    server.swap_to(3);
    return server.client()->subscribe("", "alerts", {}, [&](const OutputEvent&) {
      server.swap_to(4, next);
      return true;
    });
  };
  CHECK(absl::IsNotFound(ends_with(&without)));
  CHECK(details_of(ends_with(&elsewhere)).reason == "OUTPUT_MOVED");
  server.server.reset();
}

TEST_CASE("heartbeats tell the time of what feeds the output") {
  Outputs server;
  server.start();
  SubscribeOptions options;
  options.heartbeat_ms = 100;
  const auto events = first(server, options, 3);
  for (const size_t i : {1u, 2u}) {
    REQUIRE(as<Heartbeat>(events[i]) != nullptr);
    REQUIRE(as<Heartbeat>(events[i])->stamp);
    CHECK(as<Heartbeat>(events[i])->stamp->watermark == EventTime{-5});
    CHECK(as<Heartbeat>(events[i])->stamp->generation == 3);
  }
}

TEST_CASE("heartbeats come though nobody can tell the time") {
  Outputs server;
  server.views.get_error = absl::UnavailableError("the pipeline has stopped");
  server.start();
  SubscribeOptions options;
  options.heartbeat_ms = 100;
  const auto blind = first(server, options, 2);
  REQUIRE(as<Heartbeat>(blind[1]) != nullptr);
  CHECK_FALSE(as<Heartbeat>(blind[1])->stamp);
}

TEST_CASE("the interval of heartbeats has bounds") {
  Outputs server;
  server.start();
  for (const int64_t wrong : {-1, 99, 60'001}) {
    SubscribeOptions options;
    options.heartbeat_ms = wrong;
    const absl::Status status = refusal(server, options);
    REQUIRE(absl::IsInvalidArgument(status));
    CHECK(details_of(status).violations.at(0).field == "heartbeat_ms");
  }
}

TEST_CASE("a record that does not fit the output is shown as such, and passed") {
  Outputs server;
  server.start();
  server.append("alerts", "no JSON");
  server.alert(2);
  const auto events = first(server, from_beginning(), 3);
  REQUIRE(as<Unreadable>(events[1]) != nullptr);
  CHECK(as<Unreadable>(events[1])->offset == Offset{0});
  CHECK_FALSE(as<Unreadable>(events[1])->reason.empty());
  CHECK(id_of(events[2]) == "a2");
  CHECK(id_of(first(server, from_token(events[1].resume_token), 2)[1]) == "a2");
}

TEST_CASE("an output that is not there is answered with those that are") {
  Outputs server;
  server.start();
  const absl::Status status = refusal(server, {}, "sales");
  CHECK(absl::IsNotFound(status));
  CHECK(status.ToString().find("alerts, levels") != std::string::npos);
  CHECK(absl::IsNotFound(
      server.client()->subscribe("bank", "alerts", {}, [](const OutputEvent&) { return true; })));
}

TEST_CASE("who may not query a product may not subscribe to it") {
  Outputs server;
  server.options.tokens_file = server.directory.write(
      "tokens",
      absl::StrCat("a ", kReader, " query=other ingest\n", "b ", kReader, "2 query=shop\n"));
  server.start();
  ClientOptions reader;
  reader.token_file = server.directory.write("token", kReader);
  CHECK(absl::IsPermissionDenied(refusal(server, {}, "alerts", reader)));
  CHECK(absl::IsUnauthenticated(refusal(server, {})));
  reader.token_file = server.directory.write("token", absl::StrCat(kReader, "2"));
  CHECK(server.client(reader)
            ->subscribe("", "alerts", {}, [](const OutputEvent&) { return false; })
            .ok());
}

TEST_CASE("streams are bounded, and one that is cancelled makes room") {
  Outputs server;
  server.options.limits.streams_max = 1;
  server.start();
  const absl::Status held = server.client()->subscribe("", "alerts", {}, [&](const OutputEvent&) {
    CHECK(absl::IsResourceExhausted(refusal(server, {})));
    return false;
  });
  REQUIRE(held.ok());
  // The server learns of the end a moment later.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  absl::Status next = absl::ResourceExhaustedError("");
  while (absl::IsResourceExhausted(next) && std::chrono::steady_clock::now() < deadline) {
    next = server.client()->subscribe("", "alerts", {}, [](const OutputEvent&) { return false; });
  }
  CHECK(next.ok());
}

TEST_CASE("a server that stops ends its streams") {
  Outputs server;
  server.start();
  std::atomic<bool> begun = false;
  absl::Status status;
  std::thread reading([&] {
    status = server.client()->subscribe("", "alerts", {}, [&](const OutputEvent&) {
      begun = true;
      return true;
    });
  });
  while (!begun) std::this_thread::yield();
  server.server->stop(0);
  reading.join();
  CHECK_FALSE(status.ok());
}

}  // namespace
}  // namespace kappa::serve
