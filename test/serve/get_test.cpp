// Query.Get, MultiGet and DescribeViews, through the generated stubs.
#include <chrono>
#include <thread>

#include <catch2/catch.hpp>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "engine/serve/api_error.h"
#include "engine/serve/wire.h"
#include "kappa/v1/query.grpc.pb.h"
#include "test/serve/raw_call.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

class Queries : public TestServer {
 public:
  explicit Queries(ServerOptions with = test_options()) : TestServer(std::move(with)) {}
  void connect() {
    start();
    stub = v1::Query::NewStub(grpc::CreateChannel(address(), grpc::InsecureChannelCredentials()));
  }
  absl::Status get(const v1::GetRequest& request, v1::GetResponse* response) {
    grpc::ClientContext context;
    return from_grpc(stub->Get(&context, request, response));
  }
  absl::Status get(const v1::GetRequest& request) {
    v1::GetResponse response;
    return get(request, &response);
  }
  absl::Status multi_get(const v1::MultiGetRequest& request, v1::MultiGetResponse* response) {
    grpc::ClientContext context;
    return from_grpc(stub->MultiGet(&context, request, response));
  }
  std::unique_ptr<v1::Query::Stub> stub;
};

v1::GetRequest get_request(const std::string& view, const Row& key) {
  v1::GetRequest request;
  request.set_view(view);
  for (const Value& value : key) to_wire(value, request.add_key());
  return request;
}

TEST_CASE("a get answers with the row of the key, its columns and what it is as of") {
  Queries server;
  server.connect();
  v1::GetResponse response;
  REQUIRE(server.get(get_request("cards", {Value::text("c1")}), &response).ok());
  REQUIRE(response.row().values_size() == 2);
  CHECK(response.row().values(0).text_value() == "c1");
  CHECK(response.row().values(1).int64_value() == 1);
  REQUIRE(response.columns_size() == 2);
  CHECK(response.columns(1).name() == "purchases");
  CHECK(response.columns(1).type() == v1::DATA_TYPE_BIGINT);
  CHECK(response.stamp().generation() == 3);
  CHECK(response.stamp().epoch() == 41);
  CHECK(response.stamp().watermark_us() == -5);
  REQUIRE(response.stamp().offsets_size() == 2);
  CHECK(response.stamp().offsets(1).topic() == "sales");
  CHECK(response.stamp().offsets(1).partition() == 1);
  CHECK(response.stamp().offsets(1).next_offset() == 200);
}

TEST_CASE("a key without a row is an answer, not an error") {
  Queries server;
  server.connect();
  v1::GetResponse response;
  REQUIRE(server.get(get_request("cards", {Value::text("nobody")}), &response).ok());
  CHECK_FALSE(response.has_row());
  CHECK(response.stamp().epoch() == 41);
}

TEST_CASE("values of every type are typed in an answer, and NULL is a value without a kind") {
  Queries server;
  server.connect();
  v1::GetResponse response;
  v1::GetRequest request =
      get_request("sales", {Value::text("s1"), Value::timestamptz(-60'000'000)});
  REQUIRE(server.get(request, &response).ok());
  const auto& values = response.row().values();
  REQUIRE(values.size() == 10);
  CHECK(values[1].timestamp_us() == -60'000'000);
  CHECK(values[2].int64_value() == 1);
  CHECK(values[3].decimal_value() == "-12345678901234567890.05");
  CHECK(values[4].decimal_value() == "-12.500");
  CHECK(values[5].double_value() == 0.1);
  CHECK(values[6].bool_value());
  CHECK(values[7].bytes_value() == std::string("\x00\xff", 2));
  CHECK(values[8].date_days() == -1);
  CHECK(values[9].interval_us() == -1'500'000);
  request = get_request("sales", {Value::text("s2"), Value::timestamptz(60'000'000)});
  REQUIRE(server.get(request, &response).ok());
  for (int i = 2; i < 10; ++i) {
    CHECK(response.row().values(i).kind_case() == v1::Value::KIND_NOT_SET);
  }
}

TEST_CASE("a timestamp in a key may be written as text") {
  Queries server;
  server.connect();
  v1::GetResponse response;
  const Row key = {Value::text("s1"), Value::text("1969-12-31T23:59:00Z")};
  REQUIRE(server.get(get_request("sales", key), &response).ok());
  CHECK(response.has_row());
}

TEST_CASE("a get that cannot be answered says why, with a code and a reason") {
  Queries server;
  FakeViews::View by_record = cards_view();
  by_record.key.clear();
  by_record.by_record = true;
  server.views.add("log_of_cards", by_record);
  server.connect();
  const auto check = [&](const v1::GetRequest& request, absl::StatusCode code,
                         const std::string& reason, const std::string& part) {
    const absl::Status status = server.get(request);
    INFO(status.ToString());
    CHECK(status.code() == code);
    CHECK(details_of(status).reason == reason);
    CHECK(status.ToString().find(part) != std::string::npos);
  };
  v1::GetRequest request = get_request("cards", {Value::text("c1")});
  request.set_product("shpo");
  check(request, absl::StatusCode::kNotFound, "PRODUCT_NOT_FOUND", "served: shop");
  check(get_request("card", {Value::text("c1")}), absl::StatusCode::kNotFound, "VIEW_NOT_FOUND",
        "did you mean \"cards\"?");
  check(get_request("zzzzzzz", {Value::text("c1")}), absl::StatusCode::kNotFound, "VIEW_NOT_FOUND",
        "views: cards, sales");
  check(get_request("cards", {Value::bigint(7)}), absl::StatusCode::kInvalidArgument,
        "INVALID_ARGUMENT", "key[0]: key column card_id is text, got the integer 7");
  check(get_request("sales", {Value::text("s1")}), absl::StatusCode::kInvalidArgument,
        "INVALID_ARGUMENT", "has 2 values (store, window_start), got 1");
  check(get_request("cards", {Value::text("c1"), Value::text("c2")}),
        absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT", "has 1 value (card_id), got 2");
  check(get_request("log_of_cards", {}), absl::StatusCode::kFailedPrecondition, "VIEW_HAS_NO_KEY",
        "keyed by record");
}

TEST_CASE("a wrong key is named as a field violation") {
  Queries server;
  server.connect();
  const absl::Status status = server.get(get_request("cards", {Value::bigint(7)}));
  const ErrorDetails details = details_of(status);
  REQUIRE(details.violations.size() == 1);
  CHECK(details.violations[0].field == "key[0]");
}

TEST_CASE("with several products a request names one") {
  Queries server;
  ServedProduct other = server.product();
  other.name = "bank";
  server.more_products = {other};
  server.connect();
  v1::GetRequest request = get_request("cards", {Value::text("c1")});
  const absl::Status status = server.get(request);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("name one of shop, bank") != std::string::npos);
  request.set_product("bank");
  CHECK(server.get(request).ok());
}

TEST_CASE("while a product is restoring it is unavailable, once it has failed it says so") {
  Queries server;
  ServedProduct other;
  other.name = "bank";
  server.more_products = {other};
  server.connect();
  v1::GetRequest request = get_request("cards", {Value::text("c1")});
  request.set_product("bank");
  const absl::Status restoring = server.get(request);
  CHECK(absl::IsUnavailable(restoring));
  CHECK(details_of(restoring).retry_delay_ms == 1000);
  other.failure = absl::DataLossError("a gap in sales-0");
  server.server->set_product(other);
  const absl::Status failed = server.get(request);
  CHECK(absl::IsFailedPrecondition(failed));
  CHECK(failed.ToString().find("a gap in sales-0") != std::string::npos);
  other = server.product();
  other.name = "bank";
  server.server->set_product(other);
  CHECK(server.get(request).ok());
}

TEST_CASE("an error of the pipeline reaches the caller") {
  Queries server;
  server.views.get_error = absl::UnavailableError("the pipeline has stopped");
  server.connect();
  const absl::Status status = server.get(get_request("cards", {Value::text("c1")}));
  CHECK(absl::IsUnavailable(status));
  CHECK(status.message() == "the pipeline has stopped");
}

TEST_CASE("a get whose deadline passes ends, and the late answer does no harm") {
  Queries server;
  server.connect();
  server.views.hold_gets();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  v1::GetResponse response;
  const auto status =
      from_grpc(server.stub->Get(&context, get_request("cards", {Value::text("c1")}), &response));
  CHECK(absl::IsDeadlineExceeded(status));
  server.views.release();
  CHECK(server.get(get_request("cards", {Value::text("c1")})).ok());
}

TEST_CASE("a get that is cancelled ends, and the late answer does no harm") {
  Queries server;
  server.connect();
  server.views.hold_gets();
  grpc::ClientContext context;
  std::thread canceller([&] {
    server.views.wait_held(1);
    context.TryCancel();
  });
  v1::GetResponse response;
  const auto status =
      from_grpc(server.stub->Get(&context, get_request("cards", {Value::text("c1")}), &response));
  canceller.join();
  CHECK(absl::IsCancelled(status));
  // Stopping waits for every call to end, so this one is over on the server too.
  server.server->stop(0);
  server.views.release();
}

TEST_CASE("a server stops although a pipeline never answers") {
  Queries server;
  server.connect();
  server.views.hold_gets();
  std::thread caller(
      [&] { CHECK_FALSE(server.get(get_request("cards", {Value::text("c1")})).ok()); });
  server.views.wait_held(1);
  server.server->stop(10);
  caller.join();
  server.views.release();
}

TEST_CASE("a multi-get answers for each key in the order asked") {
  Queries server;
  server.connect();
  v1::MultiGetRequest request;
  request.set_view("cards");
  for (const char* card : {"c3", "nobody", "c1", "c3"}) {
    request.add_keys()->add_values()->set_text_value(card);
  }
  v1::MultiGetResponse response;
  REQUIRE(server.multi_get(request, &response).ok());
  REQUIRE(response.rows_size() == 4);
  CHECK(response.rows(0).row().values(1).int64_value() == 3);
  CHECK_FALSE(response.rows(1).has_row());
  CHECK(response.rows(2).row().values(1).int64_value() == 1);
  CHECK(response.rows(3).row().values(1).int64_value() == 3);
  CHECK(response.stamp().epoch() == 41);
}

TEST_CASE("a multi-get names the faulty key, and takes only so many") {
  Queries server;
  server.options.limits.keys_max = 2;
  server.connect();
  v1::MultiGetRequest request;
  request.set_view("cards");
  request.add_keys()->add_values()->set_text_value("c1");
  request.add_keys()->add_values()->set_bool_value(true);
  v1::MultiGetResponse response;
  absl::Status status = server.multi_get(request, &response);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("keys[1].values[0]") != std::string::npos);
  request.add_keys();
  status = server.multi_get(request, &response);
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("at most 2 keys, got 3") != std::string::npos);
}

TEST_CASE("views are described with their columns, keys and emission") {
  Queries server;
  server.connect();
  grpc::ClientContext context;
  v1::DescribeViewsResponse response;
  REQUIRE(server.stub->DescribeViews(&context, {}, &response).ok());
  REQUIRE(response.views_size() == 2);
  const v1::View& sales = response.views(1);
  CHECK(sales.product() == "shop");
  CHECK(sales.name() == "sales");
  CHECK(sales.columns_size() == 10);
  REQUIRE(sales.key_size() == 2);
  CHECK(sales.key(1) == "window_start");
  CHECK(sales.emit() == v1::EMIT_FINAL);
  CHECK(sales.event_time() == "window_start");
  CHECK_FALSE(sales.keyed_by_record());
  CHECK(response.views(0).emit() == v1::EMIT_CHANGES);
}

TEST_CASE("a request larger than the limit is refused") {
  Queries server;
  server.options.limits.message_bytes_max = 1000;
  server.connect();
  const absl::Status status =
      server.get(get_request("cards", {Value::text(std::string(2000, 'x'))}));
  CHECK(absl::IsResourceExhausted(status));
}

TEST_CASE("many callers at once all get their own rows") {
  Queries server;
  FakeViews::View view = cards_view();
  view.rows.clear();
  for (int i = 0; i < 100; ++i) {
    view.rows.push_back({Value::text("k" + std::to_string(i)), Value::bigint(i)});
  }
  server.views.add("many", view);
  server.connect();
  std::atomic<int> right = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const int n = (i * 7 + t) % 100;
        v1::GetResponse response;
        const auto status =
            server.get(get_request("many", {Value::text("k" + std::to_string(n))}), &response);
        if (status.ok() && response.row().values(1).int64_value() == n) ++right;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 800);
}

}  // namespace
}  // namespace kappa::serve
