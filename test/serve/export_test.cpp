// Query.Export, through the client and the generated stubs.
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "engine/serve/api_error.h"
#include "kappa/v1/query.grpc.pb.h"
#include "test/serve/raw_call.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

struct Exported {
  absl::StatusOr<ExportSummary> summary;
  operators::Schema schema;
  std::vector<Row> rows;
  size_t batches = 0;  // with rows
};

// A server whose audit is kept.
class Exports : public TestServer {
 public:
  Exports() {
    options.audit = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      audit_.push_back(line);
    };
  }
  ~Exports() { server.reset(); }

  Exported take(const ExportRequest& request, const ClientOptions& with = {}) const {
    Exported exported;
    exported.summary = client(with)->export_view(request, [&](const RowsAnswer& batch) {
      exported.schema = batch.schema;
      exported.rows.insert(exported.rows.end(), batch.rows.begin(), batch.rows.end());
      if (!batch.rows.empty()) ++exported.batches;
      return absl::OkStatus();
    });
    return exported;
  }

  absl::Status refused(const ExportRequest& request) const {
    const Exported exported = take(request);
    CHECK(exported.rows.empty());
    INFO(exported.summary.status().ToString());
    return exported.summary.status();
  }

  // Stops the server, so that all is written.
  std::vector<std::string> audit() {
    server->stop(10'000);
    const std::lock_guard lock(mutex_);
    return audit_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> audit_;
};

FakeViews::View many_rows(int rows) {
  FakeViews::View view;
  view.schema = {{"n", Type::bigint()}, {"text", Type::text()}};
  view.key = {0};
  for (int i = 0; i < rows; ++i) {
    view.rows.push_back({Value::bigint(i), Value::text("row " + std::to_string(i))});
  }
  return view;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Holds the slices of a snapshot from one on, until they are let go.
class SliceGate {
 public:
  SliceGate(FakeViews* views, int held_from) {
    views->before_slice = [this, held_from] {
      std::unique_lock lock(mutex_);
      if (++slices_ < held_from) return;
      reached_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
    };
  }
  void wait_until_reached() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return reached_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int slices_ = 0;
  bool reached_ = false;
  bool open_ = false;
};

}  // namespace

TEST_CASE("an export gives all rows of a view with every type as it is, and what waits") {
  Exports server;
  server.start();
  const Exported exported = server.take({"shop", "sales", {}, ""});
  INFO(exported.summary.status().ToString());
  REQUIRE(exported.summary.ok());
  CHECK(exported.schema == sales_view().schema);
  CHECK(exported.rows == sales_view().rows);
  CHECK(exported.summary->rows == 5);
  CHECK(exported.summary->stamp.generation == 3);
  CHECK(exported.summary->stamp.place == server.views.stamp.place);
  CHECK(exported.summary->stamp.watermark == EventTime{-5});
  REQUIRE(exported.summary->waiting);
  CHECK(exported.summary->waiting->view == "sales");
  CHECK(exported.summary->waiting->waiting.rows == 7);
  const std::vector<std::string> audit = server.audit();
  REQUIRE(audit.size() == 1);
  CHECK(audit[0].starts_with("done kappa.v1.Query/Export by ipv4:127.0.0.1:"));
  CHECK(audit[0].ends_with(": product shop, view sales, 5 rows"));
}

TEST_CASE("an export has the columns asked for, of the rows for which the condition holds") {
  Exports server;
  server.start();
  const Exported exported =
      server.take({"", "cards", {"purchases", "card_id"}, "purchases > 1 AND card_id <> 'c2'"});
  REQUIRE(exported.summary.ok());
  CHECK(exported.schema ==
        operators::Schema{{"purchases", Type::bigint()}, {"card_id", Type::text()}});
  CHECK(exported.rows == std::vector<Row>{{Value::bigint(3), Value::text("c3")}});
  CHECK_FALSE(exported.summary->waiting);

  const Exported none = server.take({"", "cards", {"card_id"}, "false"});
  REQUIRE(none.summary.ok());
  CHECK(none.schema.size() == 1);
  CHECK(none.rows.empty());

  const Exported one = server.take({"", "cards", {}, "card_id = 'c1'"});  // by its key
  REQUIRE(one.summary.ok());
  CHECK(one.rows.size() == 1);
}

TEST_CASE("an export of more rows than a query may read or hold comes in batches") {
  Exports server;
  server.views.add("many", many_rows(20'000));
  server.views.slice_rows = 3000;
  server.options.limits.query_rows_scanned_max = 10;
  server.options.limits.query_memory_bytes_max = 10;
  server.start();
  const Exported exported = server.take({"shop", "many", {}, ""});
  INFO(exported.summary.status().ToString());
  REQUIRE(exported.summary.ok());
  CHECK(exported.batches == 7 * 3 - 1);  // 3000 rows are three messages, the last 2000 are two
  REQUIRE(exported.rows.size() == 20'000);
  CHECK(exported.rows == server.views.view(server.views.plan().find_view("many")).rows);
}

TEST_CASE("a batch of wide rows is sent in several messages") {
  Exports server;
  FakeViews::View view = many_rows(0);
  for (int i = 0; i < 10; ++i) {
    view.rows.push_back({Value::bigint(i), Value::text(std::string(200'000, 'w'))});
  }
  server.views.add("wide", view);
  server.views.slice_rows = 1000;
  server.start();
  const Exported exported = server.take({"shop", "wide", {}, ""});
  REQUIRE(exported.summary.ok());
  CHECK(exported.batches == 5);
  CHECK(exported.rows == view.rows);
}

TEST_CASE("an export of what is not there is refused, and names what is") {
  Exports server;
  server.start();
  CHECK(absl::IsNotFound(server.refused({"shop", "card", {}, ""})));
  CHECK(contains(server.refused({"shop", "card", {}, ""}).ToString(), "cards"));
  CHECK(absl::IsNotFound(server.refused({"bank", "cards", {}, ""})));
  const absl::Status column = server.refused({"shop", "cards", {"card_id", "purchase"}, ""});
  CHECK(absl::IsInvalidArgument(column));
  REQUIRE(details_of(column).violations.size() == 1);
  CHECK(details_of(column).violations[0].field == "columns[1]");
  CHECK(contains(details_of(column).violations[0].description, "did you mean \"purchases\"?"));
  CHECK(contains(server.refused({"shop", "cards", {"card_id", "card_id"}, ""}).ToString(),
                 "named twice"));
  for (const char* name : {"card_id\" --", "*", "1", "card_id, purchases", ""}) {
    CHECK(absl::IsInvalidArgument(server.refused({"shop", "cards", {name}, ""})));
  }
  CHECK(server.audit().empty());
}

TEST_CASE("a wrong condition is refused with its position, whatever it tries to be") {
  Exports server;
  server.start();
  const absl::Status wrong = server.refused({"shop", "cards", {}, "purchases > 1\n AND card = 2"});
  CHECK(absl::IsInvalidArgument(wrong));
  CHECK(contains(wrong.ToString(), "where:2:6"));
  const ErrorDetails details = details_of(wrong);
  CHECK(details.reason == "INVALID_SQL");
  REQUIRE(details.violations.size() == 1);
  CHECK(details.violations[0].field == "where:2:6");
  for (const char* where :
       {"1=1) ORDER BY card_id --", "true ORDER BY card_id", "true UNION SELECT * FROM sales",
        "true; DROP TABLE cards", "true LIMIT 1", "purchases", "true /*", "(true"}) {
    INFO(where);
    CHECK(details_of(server.refused({"shop", "cards", {}, where})).reason != "");
  }
  const absl::Status fails =
      server.take({"shop", "cards", {}, "1 / (purchases - 2) > 0"}).summary.status();
  CHECK(absl::IsInvalidArgument(fails));
  CHECK(contains(fails.ToString(), "1:3: division by zero"));
}

TEST_CASE("an export needs the right to query its product, and is denied in the audit without") {
  Exports server;
  server.options.tokens_file = server.directory.write(
      "tokens", "reader rrrrrrrrrrrrrrrr query=shop\nfeeder ffffffffffffffff ingest\n");
  server.start();
  const auto with_token = [&](const char* name, const char* token) {
    ClientOptions options;
    options.token_file = server.directory.write(name, token);
    return options;
  };
  CHECK(absl::IsUnauthenticated(server.take({"shop", "cards", {}, ""}).summary.status()));
  CHECK(absl::IsPermissionDenied(
      server.take({"shop", "cards", {}, ""}, with_token("f", "ffffffffffffffff"))
          .summary.status()));
  CHECK(server.take({"shop", "cards", {}, ""}, with_token("r", "rrrrrrrrrrrrrrrr")).summary.ok());
  const std::vector<std::string> audit = server.audit();
  REQUIRE(audit.size() == 3);
  CHECK(contains(audit[0], "denied kappa.v1.Query/Export to "));
  CHECK(contains(audit[1], "denied kappa.v1.Query/Export to "));
  CHECK(contains(audit[2], "done kappa.v1.Query/Export by reader at "));
}

TEST_CASE("an export whose taker gives up ends with its error, and is noted as broken off") {
  Exports server;
  server.views.add("many", many_rows(100'000));
  server.views.slice_rows = 1000;
  server.start();
  size_t rows = 0;
  const auto summary =
      server.client()->export_view({"shop", "many", {}, ""}, [&](const RowsAnswer& batch) {
        rows += batch.rows.size();
        return rows < 5000 ? absl::OkStatus() : absl::ResourceExhaustedError("the disk is full");
      });
  CHECK(summary.status() == absl::ResourceExhaustedError("the disk is full"));
  const std::vector<std::string> audit = server.audit();
  REQUIRE(audit.size() == 1);
  CHECK(contains(audit[0], ": product shop, view many, "));
  CHECK(audit[0].ends_with(" rows, broken off"));
  CHECK(server.views.slices_read < 100);
}

TEST_CASE("an export whose caller goes away stops within a slice") {
  Exports server;
  server.views.add("many", many_rows(1000));
  server.views.slice_rows = 1;
  SliceGate gate(&server.views, 2);
  server.start();
  const auto stub =
      v1::Query::NewStub(grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ExportRequest request;
  request.set_view("many");
  request.set_where("n < 0");  // so that one step reads on and on
  const auto stream = stub->Export(&context, request);
  gate.wait_until_reached();
  context.TryCancel();
  CHECK(absl::IsCancelled(from_grpc(stream->Finish())));
  // The server hears of it at its own time; until then the slice is held.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  gate.open();
  server.server->stop(10'000);
  CHECK(server.views.slices_read < 1000);
}

TEST_CASE("an export has a deadline of its own") {
  Exports server;
  server.views.add("many", many_rows(100'000));
  server.views.slice_rows = 1;
  server.views.before_slice = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  server.options.limits.export_ms_max = 50;
  server.start();
  const absl::Status status = server.take({"shop", "many", {}, "n < 0"}).summary.status();
  INFO(status.ToString());
  CHECK((absl::IsDeadlineExceeded(status) || absl::IsCancelled(status)));
}

TEST_CASE("an export whose caller stops reading is cut off") {
  Exports server;
  FakeViews::View view = many_rows(0);
  for (int i = 0; i < 2000; ++i) {
    view.rows.push_back({Value::bigint(i), Value::text(std::string(10'000, 'w'))});
  }
  server.views.add("wide", view);
  server.views.slice_rows = 100;
  server.options.limits.export_ms_max = 200;
  server.start();
  const auto stub =
      v1::Query::NewStub(grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::ExportRequest request;
  request.set_view("wide");
  const auto stream = stub->Export(&context, request);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  v1::ExportResponse part;
  bool whole = false;
  while (stream->Read(&part)) whole = whole || part.has_trailer();
  CHECK_FALSE(whole);
  CHECK_FALSE(stream->Finish().ok());
}

TEST_CASE("exports over their number are refused, and queries are let in between two batches") {
  Exports server;
  server.views.add("many", many_rows(20));
  server.views.slice_rows = 1;
  server.options.limits.exports_max = 1;
  server.options.limits.query_threads = 1;
  SliceGate gate(&server.views, 3);
  server.start();
  std::thread first([&] { CHECK(server.take({"shop", "many", {}, ""}).summary.ok()); });
  gate.wait_until_reached();
  const absl::Status refused = server.refused({"shop", "cards", {}, ""});
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(details_of(refused).retry_delay_ms > 0);
  absl::Status queried;
  std::thread second([&] { queried = server.client()->query("shop", "SELECT 1").status(); });
  gate.open();
  second.join();
  first.join();
  CHECK(queried.ok());
  // The place is free again once the server has done with the first.
  absl::Status again = absl::ResourceExhaustedError("");
  while (absl::IsResourceExhausted(again)) {
    again = server.take({"shop", "cards", {}, ""}).summary.status();
  }
  CHECK(again.ok());
}

TEST_CASE("exports have their series in the metrics") {
  Exports server;
  server.start();
  REQUIRE(server.take({"shop", "cards", {}, ""}).summary.ok());
  const std::string series =
      "kappa_grpc_server_handled_total{code=\"OK\",method=\"kappa.v1.Query/Export\"} 1";
  std::string body;
  while (!contains(body, series)) body = http_get(server.server->http_port(), "/metrics")->body;
  CHECK(contains(body, series));
}

}  // namespace kappa::serve
