// Query.Sql, through the generated stubs.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "engine/serve/api_error.h"
#include "kappa/v1/query.grpc.pb.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

struct Answer {
  absl::Status status;
  std::vector<v1::SqlResponse> parts;
  std::vector<v1::Row> rows;
};

class Selects : public TestServer {
 public:
  void connect() {
    start();
    stub = v1::Query::NewStub(grpc::CreateChannel(address(), grpc::InsecureChannelCredentials()));
  }
  Answer ask(const std::string& sql, int64_t timeout_ms = 20'000) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    v1::SqlRequest request;
    request.set_sql(sql);
    const auto stream = stub->Sql(&context, request);
    Answer answer;
    for (v1::SqlResponse part; stream->Read(&part);) {
      for (const v1::Row& row : part.rows().rows()) answer.rows.push_back(row);
      answer.parts.push_back(part);
    }
    answer.status = from_grpc(stream->Finish());
    return answer;
  }
  std::unique_ptr<v1::Query::Stub> stub;
};

FakeViews::View many_rows(int rows) {
  FakeViews::View view;
  view.schema = {{"n", Type::bigint()}};
  view.key = {0};
  for (int i = 0; i < rows; ++i) view.rows.push_back({Value::bigint(i)});
  return view;
}

TEST_CASE("a select answers with header, rows and trailer") {
  Selects server;
  server.connect();
  const Answer answer = server.ask(
      "SELECT card_id, purchases * 2 AS twice FROM cards WHERE purchases > 1 ORDER BY card_id");
  INFO(answer.status.ToString());
  REQUIRE(answer.status.ok());
  REQUIRE(answer.parts.size() == 3);
  const v1::SqlHeader& header = answer.parts[0].header();
  CHECK(header.stamp().epoch() == 41);
  REQUIRE(header.columns_size() == 2);
  CHECK(header.columns(1).name() == "twice");
  CHECK(header.columns(1).type() == v1::DATA_TYPE_BIGINT);
  REQUIRE(answer.rows.size() == 2);
  CHECK(answer.rows[0].values(0).text_value() == "c2");
  CHECK(answer.rows[1].values(1).int64_value() == 6);
  CHECK(answer.parts[2].trailer().row_count() == 2);
  CHECK(answer.parts[2].trailer().waiting().empty());
}

TEST_CASE("a select over a final view says how many rows wait for which watermark") {
  Selects server;
  server.connect();
  const Answer answer = server.ask("SELECT count(*) FROM sales");
  INFO(answer.status.ToString());
  REQUIRE(answer.status.ok());
  const v1::SqlTrailer& trailer = answer.parts.back().trailer();
  REQUIRE(trailer.waiting_size() == 1);
  CHECK(trailer.waiting(0).view() == "sales");
  CHECK(trailer.waiting(0).rows() == 7);
  CHECK(trailer.waiting(0).until_us() == 90'000'000);
}

TEST_CASE("an answer without rows has a header and a trailer") {
  Selects server;
  server.connect();
  const Answer answer = server.ask("SELECT * FROM cards WHERE false");
  REQUIRE(answer.status.ok());
  REQUIRE(answer.parts.size() == 2);
  CHECK(answer.parts[0].header().columns_size() == 2);
  CHECK(answer.parts[1].trailer().row_count() == 0);
}

TEST_CASE("values of every type come out of a select as they went in") {
  Selects server;
  server.connect();
  const Answer answer = server.ask("SELECT * FROM sales WHERE n = 1 OR n IS NULL ORDER BY store");
  INFO(answer.status.ToString());
  REQUIRE(answer.rows.size() == 2);
  const auto& values = answer.rows[0].values();
  CHECK(values[1].timestamp_us() == -60'000'000);
  CHECK(values[2].int64_value() == 1);
  CHECK(values[3].decimal_value() == "-12345678901234567890.05");
  CHECK(values[4].decimal_value() == "-12.500");
  CHECK(values[5].double_value() == 0.1);
  CHECK(values[6].bool_value());
  CHECK(values[7].bytes_value() == std::string("\x00\xff", 2));
  CHECK(values[8].date_days() == -1);
  CHECK(values[9].interval_us() == -1'500'000);
  for (int i = 2; i < 10; ++i) {
    CHECK(answer.rows[1].values(i).kind_case() == v1::Value::KIND_NOT_SET);
  }
}

TEST_CASE("many rows come in chunks and in order") {
  Selects server;
  server.views.add("many", many_rows(5000));
  server.views.slice_rows = 512;
  server.connect();
  const Answer answer = server.ask("SELECT n FROM many ORDER BY n DESC");
  REQUIRE(answer.status.ok());
  REQUIRE(answer.rows.size() == 5000);
  CHECK(answer.parts.size() == 2 + 5);
  for (int i = 0; i < 5000; ++i) {
    REQUIRE(answer.rows[static_cast<size_t>(i)].values(0).int64_value() == 4999 - i);
  }
}

TEST_CASE("wrong SQL is refused with its position, in the message and as a field violation") {
  Selects server;
  server.connect();
  const Answer answer = server.ask("SELECT card_id,\n  purchase FROM cards");
  INFO(answer.status.ToString());
  CHECK(absl::IsInvalidArgument(answer.status));
  CHECK(answer.parts.empty());
  CHECK(answer.status.ToString().find("query:2:3") != std::string::npos);
  const ErrorDetails details = details_of(answer.status);
  CHECK(details.reason == "INVALID_SQL");
  REQUIRE(details.violations.size() == 1);
  CHECK(details.violations[0].field == "sql:2:3");
  CHECK(details.violations[0].description.find("purchases") != std::string::npos);
}

TEST_CASE("anything but one select is refused") {
  Selects server;
  server.connect();
  for (const char* sql : {"", "DROP TABLE cards", "SELECT 1; SELECT 2", "SELECT FROM WHERE",
                          "SELECT * FROM no_such_view"}) {
    INFO(sql);
    CHECK(absl::IsInvalidArgument(server.ask(sql).status));
  }
}

TEST_CASE("an expression that fails while the query runs is an error with its cause") {
  Selects server;
  server.connect();
  const Answer answer = server.ask("SELECT 1 / (purchases - 2) FROM cards");
  INFO(answer.status.ToString());
  CHECK(absl::IsInvalidArgument(answer.status));
  CHECK(answer.status.ToString().find("zero") != std::string::npos);
}

TEST_CASE("a select over its row or memory limit is refused") {
  Selects server;
  server.views.add("many", many_rows(5000));
  server.options.limits.query_rows_scanned_max = 4000;
  server.connect();
  CHECK(absl::IsResourceExhausted(server.ask("SELECT count(*) FROM many").status));
}

TEST_CASE("a select that needs more memory than it may is refused") {
  Selects server;
  server.views.add("many", many_rows(50'000));
  server.views.slice_rows = 1000;
  server.options.limits.query_memory_bytes_max = 10'000;
  server.connect();
  CHECK(absl::IsResourceExhausted(server.ask("SELECT n FROM many ORDER BY n").status));
}

TEST_CASE("the server's own deadline ends a query that asked for none") {
  Selects server;
  server.views.add("many", many_rows(100'000));
  server.views.slice_rows = 1;
  server.views.before_slice = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  server.options.limits.query_ms_max = 50;
  server.connect();
  CHECK(absl::IsDeadlineExceeded(server.ask("SELECT count(*) FROM many").status));
  CHECK(server.views.slices_read < 10'000);
}

TEST_CASE("a query whose caller goes away stops within a slice") {
  Selects server;
  server.views.add("many", many_rows(100'000));
  server.views.slice_rows = 1;
  std::mutex mutex;
  std::condition_variable changed;
  bool reading = false;
  bool cancelled = false;
  server.views.before_slice = [&] {
    std::unique_lock lock(mutex);
    reading = true;
    changed.notify_all();
    changed.wait(lock, [&] { return cancelled; });
  };
  server.connect();
  grpc::ClientContext context;
  v1::SqlRequest request;
  request.set_sql("SELECT count(*) FROM many");
  const auto stream = server.stub->Sql(&context, request);
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return reading; });
  }
  context.TryCancel();
  CHECK(absl::IsCancelled(from_grpc(stream->Finish())));
  // The server hears of it at its own time; until then the first slice is held.
  server.server->drain();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  {
    std::lock_guard lock(mutex);
    cancelled = true;
  }
  changed.notify_all();
  server.server->stop(10'000);
  CHECK(server.views.slices_read < 100'000);
}

TEST_CASE("a caller that stops reading is cut off, and its memory freed") {
  Selects server;
  FakeViews::View view = many_rows(0);
  view.schema = {{"n", Type::bigint()}, {"wide", Type::text()}};
  for (int i = 0; i < 2000; ++i) {
    view.rows.push_back({Value::bigint(i), Value::text(std::string(10'000, 'w'))});
  }
  server.views.add("wide", view);
  server.views.slice_rows = 1000;
  server.options.limits.stream_ms_max = 200;
  server.connect();
  grpc::ClientContext context;
  v1::SqlRequest request;
  request.set_sql("SELECT * FROM wide");
  const auto stream = server.stub->Sql(&context, request);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  v1::SqlResponse part;
  while (stream->Read(&part)) {
  }
  CHECK(absl::IsCancelled(from_grpc(stream->Finish())));
}

TEST_CASE("more queries than may wait are refused, with the advice to try again") {
  Selects server;
  server.views.add("many", many_rows(10));
  server.options.limits.query_threads = 1;
  server.options.limits.queries_waiting_max = 1;
  std::mutex gate;
  gate.lock();
  server.views.before_slice = [&] { std::lock_guard lock(gate); };
  server.connect();
  std::vector<std::thread> callers;
  std::atomic<int> answered = 0;
  std::atomic<int> refused = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      const Answer answer = server.ask("SELECT count(*) FROM many");
      if (answer.status.ok()) ++answered;
      if (absl::IsResourceExhausted(answer.status) &&
          details_of(answer.status).reason == "TOO_MANY_QUERIES" &&
          details_of(answer.status).retry_delay_ms > 0) {
        ++refused;
      }
    });
  }
  // One runs, one waits, so two of the four are refused at once (or three, if none had begun).
  while (refused < 2) std::this_thread::yield();
  gate.unlock();
  for (std::thread& caller : callers) caller.join();
  CHECK(answered + refused == 4);
  CHECK(answered >= 1);
}

TEST_CASE("streams over their number are refused") {
  Selects server;
  server.options.limits.streams_max = 0;
  server.connect();
  CHECK(absl::IsResourceExhausted(server.ask("SELECT 1").status));
}

}  // namespace
}  // namespace kappa::serve
