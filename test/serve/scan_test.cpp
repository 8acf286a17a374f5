// Query.Scan, through the generated stubs.
#include <algorithm>
#include <chrono>

#include <catch2/catch.hpp>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "kappa/v1/query.grpc.pb.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

class Scans : public TestServer {
 public:
  void connect() {
    start();
    stub = v1::Query::NewStub(grpc::CreateChannel(address(), grpc::InsecureChannelCredentials()));
  }
  absl::Status scan(const v1::ScanRequest& request, v1::ScanResponse* response) {
    response->Clear();
    grpc::ClientContext context;
    return from_grpc(stub->Scan(&context, request, response));
  }
  // The keys of all pages as text, "s1@0 s1@60 …".
  std::string keys(v1::ScanRequest request) {
    std::string keys;
    v1::ScanResponse response;
    do {
      const absl::Status status = scan(request, &response);
      if (!status.ok()) return status.ToString();
      for (const v1::Row& row : response.rows()) {
        if (!keys.empty()) keys += " ";
        keys += row.values(0).text_value() + "@" +
                std::to_string(row.values(1).timestamp_us() / 1'000'000);
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return keys;
  }
  std::unique_ptr<v1::Query::Stub> stub;
};

v1::ScanRequest sales_request() {
  v1::ScanRequest request;
  request.set_view("sales");
  return request;
}

FakeViews::View numbers_view(int rows) {
  FakeViews::View view;
  view.schema = {{"n", Type::bigint()}, {"text", Type::text()}};
  view.key = {0};
  for (int i = 0; i < rows; ++i) {
    view.rows.push_back({Value::bigint(rows - i), Value::text(std::string(100, 'x'))});
  }
  return view;
}

TEST_CASE("a scan shows all rows ascending by key, whatever the page size") {
  Scans server;
  server.connect();
  for (int page_size : {0, 1, 2, 4, 5, 6, 10'000}) {
    v1::ScanRequest request = sales_request();
    request.set_page_size(page_size);
    CHECK(server.keys(request) == "s1@-60 s1@0 s1@60 s2@0 s2@60");
  }
}

TEST_CASE("a scan takes prefix, inclusive start and exclusive end, of some or all key columns") {
  Scans server;
  server.connect();
  const auto keys = [&](const Row& prefix, const Row& start, const Row& end) {
    v1::ScanRequest request = sales_request();
    request.set_page_size(2);
    for (const Value& value : prefix) to_wire(value, request.add_prefix());
    for (const Value& value : start) to_wire(value, request.add_start());
    for (const Value& value : end) to_wire(value, request.add_end());
    return server.keys(request);
  };
  const Value s1 = Value::text("s1");
  const Value s2 = Value::text("s2");
  const Value zero = Value::timestamptz(0);
  CHECK(keys({s1}, {}, {}) == "s1@-60 s1@0 s1@60");
  CHECK(keys({s1, zero}, {}, {}) == "s1@0");
  CHECK(keys({}, {s2}, {}) == "s2@0 s2@60");
  CHECK(keys({}, {s1, zero}, {}) == "s1@0 s1@60 s2@0 s2@60");
  CHECK(keys({}, {}, {s2}) == "s1@-60 s1@0 s1@60");
  CHECK(keys({}, {}, {s2, Value::timestamptz(60'000'000)}) == "s1@-60 s1@0 s1@60 s2@0");
  CHECK(keys({}, {s1, zero}, {s1, Value::timestamptz(60'000'000)}) == "s1@0");
  CHECK(keys({s1}, {s1, zero}, {}) == "s1@0 s1@60");
  CHECK(keys({}, {s2}, {s1}).empty());
  CHECK(keys({Value::text("s9")}, {}, {}).empty());
}

TEST_CASE("NULL comes last in a scan and can be asked for") {
  Scans server;
  FakeViews::View view;
  view.schema = {{"k", Type::text()}, {"t", Type::timestamptz()}};
  view.key = {0};
  view.rows = {{Value::null(Type::text()), Value::timestamptz(1'000'000)},
               {Value::text("a"), Value::timestamptz(2'000'000)}};
  server.views.add("nullable", view);
  server.connect();
  v1::ScanRequest request;
  request.set_view("nullable");
  CHECK(server.keys(request) == "a@2 @1");
  request.add_prefix();
  CHECK(server.keys(request) == "@1");
}

TEST_CASE("all pages of a scan carry the stamp of the first, though the view goes on") {
  Scans server;
  server.connect();
  v1::ScanRequest request = sales_request();
  request.set_page_size(2);
  v1::ScanResponse response;
  REQUIRE(server.scan(request, &response).ok());
  CHECK(response.stamp().epoch() == 41);
  CHECK(response.columns_size() == 10);
  server.views.stamp.epoch = 42;
  request.set_page_token(response.next_page_token());
  REQUIRE(server.scan(request, &response).ok());
  CHECK(response.stamp().epoch() == 41);
  CHECK(response.columns_size() == 10);
  // The same page again, as after a broken connection.
  const std::string next = response.next_page_token();
  const std::string row = response.rows(0).SerializeAsString();
  REQUIRE(server.scan(request, &response).ok());
  CHECK(response.next_page_token() == next);
  CHECK(response.rows(0).SerializeAsString() == row);
}

TEST_CASE("a page ends at about a mebibyte, however many rows are wanted") {
  Scans server;
  FakeViews::View view = numbers_view(200);
  for (Row& row : view.rows) row[1] = Value::text(std::string(50'000, 'y'));
  server.views.add("wide", view);
  server.connect();
  v1::ScanRequest request;
  request.set_view("wide");
  request.set_page_size(10'000);
  v1::ScanResponse response;
  REQUIRE(server.scan(request, &response).ok());
  CHECK(response.rows_size() == 21);
  CHECK(response.ByteSizeLong() < 2u << 20);
  CHECK_FALSE(response.next_page_token().empty());
}

TEST_CASE("an expired page token aborts the scan and says to start again") {
  Scans server;
  server.connect();
  v1::ScanRequest request = sales_request();
  request.set_page_size(2);
  v1::ScanResponse response;
  REQUIRE(server.scan(request, &response).ok());
  request.set_page_token(response.next_page_token());
  server.clock.set(LogTime{server.clock.now().ms + 60'001});
  const absl::Status status = server.scan(request, &response);
  CHECK(absl::IsAborted(status));
  CHECK(details_of(status).reason == "PAGE_TOKEN_EXPIRED");
}

TEST_CASE("a page token goes on with its own scan only") {
  Scans server;
  server.connect();
  v1::ScanRequest request = sales_request();
  request.set_page_size(2);
  v1::ScanResponse response;
  REQUIRE(server.scan(request, &response).ok());
  request.set_page_token(response.next_page_token());
  v1::ScanRequest other = request;
  other.set_page_size(1);
  CHECK(server.scan(other, &response).ok());
  other = request;
  other.set_product("shop");  // the same product, named
  CHECK(server.scan(other, &response).ok());
  other = request;
  other.set_view("cards");
  CHECK(absl::IsInvalidArgument(server.scan(other, &response)));
  other = request;
  other.add_prefix()->set_text_value("s1");
  CHECK(absl::IsInvalidArgument(server.scan(other, &response)));
  other = request;
  other.set_page_token("nonsense");
  const absl::Status status = server.scan(other, &response);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(details_of(status).violations.at(0).field == "page_token");
}

TEST_CASE("bad bounds and page sizes are named") {
  Scans server;
  FakeViews::View by_record = cards_view();
  by_record.key.clear();
  by_record.by_record = true;
  server.views.add("log_of_cards", by_record);
  server.connect();
  v1::ScanResponse response;
  v1::ScanRequest request = sales_request();
  request.add_start()->set_int64_value(1);
  CHECK(server.scan(request, &response).ToString().find("start[0]: key column store is text") !=
        std::string::npos);
  request = sales_request();
  for (int i = 0; i < 3; ++i) request.add_end()->set_text_value("1970-01-01");
  CHECK(
      server.scan(request, &response).ToString().find("end: the key of view sales has 2 values") !=
      std::string::npos);
  request = sales_request();
  request.set_page_size(-1);
  CHECK(absl::IsInvalidArgument(server.scan(request, &response)));
  request.set_page_size(10'001);
  CHECK(absl::IsInvalidArgument(server.scan(request, &response)));
  request = {};
  request.set_view("log_of_cards");
  REQUIRE(server.scan(request, &response).ok());
  CHECK(response.rows_size() == 3);
  request.add_prefix()->set_text_value("c1");
  CHECK(absl::IsFailedPrecondition(server.scan(request, &response)));
  request.set_view("nothing");
  CHECK(absl::IsNotFound(server.scan(request, &response)));
}

TEST_CASE("a scan over its limits is refused") {
  Scans server;
  server.views.add("numbers", numbers_view(1000));
  server.options.limits.scan_memory_bytes_max = 50'000;
  server.connect();
  v1::ScanRequest request;
  request.set_view("numbers");
  v1::ScanResponse response;
  absl::Status status = server.scan(request, &response);
  CHECK(absl::IsResourceExhausted(status));
  CHECK(details_of(status).reason == "SCAN_MEMORY_LIMIT");
  request.add_prefix()->set_int64_value(500);
  CHECK(server.scan(request, &response).ok());
  CHECK(response.rows_size() == 1);
}

TEST_CASE("a scan of a view with more rows than may be read is refused") {
  Scans server;
  server.views.add("numbers", numbers_view(1000));
  server.options.limits.query_rows_scanned_max = 999;
  server.connect();
  v1::ScanRequest request;
  request.set_view("numbers");
  v1::ScanResponse response;
  const absl::Status status = server.scan(request, &response);
  CHECK(absl::IsResourceExhausted(status));
  CHECK(details_of(status).reason == "SCAN_ROWS_LIMIT");
}

TEST_CASE("a scan whose deadline passes stops reading") {
  Scans server;
  server.views.add("numbers", numbers_view(100'000));
  server.views.slice_rows = 1;
  server.views.before_slice = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  server.connect();
  v1::ScanRequest request;
  request.set_view("numbers");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::ScanResponse response;
  CHECK(absl::IsDeadlineExceeded(from_grpc(server.stub->Scan(&context, request, &response))));
  server.server->stop(0);  // waits for the query thread
  CHECK(server.views.slices_read < 10'000);
}

}  // namespace
}  // namespace kappa::serve
