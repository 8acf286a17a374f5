// SalesService, over views that the test fills.
#include <catch2/catch.hpp>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/strings/str_cat.h"
#include "engine/serve/api_error.h"
#include "engine/serve/sales_query.h"
#include "kappa/v1/sales.grpc.pb.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kDayUs = 24 * kHourUs;

Value money(int64_t cents) {
  return {Type::numeric(12, 2), cents};
}

FakeViews::View sales_by_hour() {
  FakeViews::View view;
  view.schema = {{"window_start", Type::timestamptz()},
                 {"store_id", Type::text()},
                 {"category", Type::text()},
                 {"country", Type::text()},
                 {"revenue", Type::numeric(12, 2)},
                 {"orders", Type::bigint()},
                 {"items", Type::bigint()},
                 {"returns", Type::bigint()},
                 {"returned", Type::numeric(12, 2)}};
  view.key = {0, 1, 2, 3};
  const auto row = [](int64_t hour, const char* store, const char* category, const char* country,
                      int64_t cents, int64_t orders) {
    return Row{Value::timestamptz(hour * kHourUs),
               Value::text(store),
               Value::text(category),
               Value::text(country),
               money(cents),
               Value::bigint(orders),
               Value::bigint(2 * orders),
               Value::bigint(1),
               money(100)};
  };
  view.rows = {row(1, "s1", "toys", "DE", 1000, 2),  row(1, "s1", "books", "DE", 550, 1),
               row(1, "s2", "toys", "FR", 300, 1),   row(2, "s1", "toys", "DE", 250, 1),
               row(2, "o'neil", "toys", "IE", 0, 0), row(9, "s1", "toys", "DE", 99, 1)};
  return view;
}

FakeViews::View top_products() {
  FakeViews::View view;
  view.schema = {{"window_start", Type::timestamptz()},
                 {"place", Type::bigint()},
                 {"product_id", Type::text()},
                 {"revenue", Type::numeric(12, 2)},
                 {"items", Type::bigint()}};
  view.key = {0, 1};
  const auto row = [](int64_t day, int64_t place, const char* product, int64_t cents) {
    return Row{Value::timestamptz(day * kDayUs), Value::bigint(place), Value::text(product),
               money(cents), Value::bigint(7)};
  };
  view.rows = {row(0, 2, "p2", 500), row(0, 1, "p1", 900), row(1, 1, "p3", 100)};
  return view;
}

class SalesServer : public TestServer {
 public:
  SalesServer() {
    views.add("sales_by_hour", sales_by_hour());
    views.add("top_products_by_day", top_products());
  }
  void start() {
    TestServer::start();
    stub_ = v1::SalesService::NewStub(
        grpc::CreateChannel(address(), grpc::InsecureChannelCredentials()));
  }
  absl::StatusOr<v1::GetSalesResponse> sales(const v1::GetSalesRequest& request) {
    grpc::ClientContext context;
    v1::GetSalesResponse response;
    const absl::Status status = from_grpc(stub_->GetSales(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::GetTopProductsResponse> top(const std::string& day, int limit = 0) {
    grpc::ClientContext context;
    v1::GetTopProductsRequest request;
    request.set_day(day);
    request.set_limit(limit);
    v1::GetTopProductsResponse response;
    const absl::Status status = from_grpc(stub_->GetTopProducts(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

 private:
  std::unique_ptr<v1::SalesService::Stub> stub_;
};

v1::GetSalesRequest by_hour() {
  v1::GetSalesRequest request;
  request.set_granularity(v1::SALES_GRANULARITY_HOUR);
  request.set_from_us(0);
  request.set_to_us(3 * kHourUs);
  return request;
}

std::string text_of(const v1::SalesRow& row) {
  return absl::StrCat(row.window_start_us() / kHourUs, "h ", row.store_id(), " ", row.category(),
                      " ", row.country(), " ", row.revenue(), " ", row.orders(), " ", row.items(),
                      " ", row.returns(), " ", row.returned(), " ",
                      row.has_average_basket() ? absl::StrCat(row.average_basket()) : "none");
}

std::vector<std::string> rows_of(const absl::StatusOr<v1::GetSalesResponse>& response) {
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  std::vector<std::string> rows;
  for (const v1::SalesRow& row : response->rows()) rows.push_back(text_of(row));
  return rows;
}

using Rows = std::vector<std::string>;

TEST_CASE("sales are summed by window, and by what they are grouped by") {
  SalesServer server;
  server.start();
  v1::GetSalesRequest request = by_hour();
  const auto all = server.sales(request);
  CHECK(rows_of(all) == Rows{"1h    18.50 4 8 3 3.00 4.625", "2h    2.50 1 2 2 2.00 2.5"});
  CHECK(all->stamp().generation() == 3);
  CHECK_FALSE(all->rows(0).has_store_id());
  request.add_group_by(v1::SALES_DIMENSION_COUNTRY);
  request.add_group_by(v1::SALES_DIMENSION_STORE);
  CHECK(rows_of(server.sales(request)) ==
        Rows{"1h s1  DE 15.50 3 6 2 2.00 5.16667", "1h s2  FR 3.00 1 2 1 1.00 3",
             "2h o'neil  IE 0.00 0 0 1 1.00 none", "2h s1  DE 2.50 1 2 1 1.00 2.5"});
}

TEST_CASE("sales are filtered, whatever the names are made of") {
  SalesServer server;
  server.start();
  v1::GetSalesRequest request = by_hour();
  request.add_group_by(v1::SALES_DIMENSION_STORE);
  request.add_store_ids("o'neil");
  request.add_store_ids("' OR '1' = '1");
  request.add_store_ids("\\' --");
  CHECK(rows_of(server.sales(request)) == Rows{"2h o'neil   0.00 0 0 1 1.00 none"});
  request = by_hour();
  request.add_categories("toys");
  request.add_countries("DE");
  CHECK(rows_of(server.sales(request)) ==
        Rows{"1h    10.00 2 4 1 1.00 5", "2h    2.50 1 2 1 1.00 2.5"});
  request.add_store_ids("s2");
  CHECK(rows_of(server.sales(request)).empty());
}

TEST_CASE("pages of sales are as of one moment, and a token goes with its request only") {
  SalesServer server;
  server.start();
  v1::GetSalesRequest request = by_hour();
  request.add_group_by(v1::SALES_DIMENSION_STORE);
  const Rows all = rows_of(server.sales(request));
  request.set_page_size(3);
  const auto first = server.sales(request);
  Rows paged = rows_of(first);
  CHECK(paged.size() == 3);
  request.set_page_token(first->next_page_token());
  const auto second = server.sales(request);
  for (const std::string& row : rows_of(second)) paged.push_back(row);
  CHECK(paged == all);
  CHECK(second->next_page_token().empty());
  request.add_countries("DE");
  CHECK(absl::IsInvalidArgument(server.sales(request).status()));
}

TEST_CASE("what is wrong with a request for sales is named by field") {
  SalesServer server;
  server.start();
  const auto field = [&](const std::function<void(v1::GetSalesRequest*)>& spoil) {
    v1::GetSalesRequest request = by_hour();
    spoil(&request);
    const absl::Status status = server.sales(request).status();
    INFO(status.ToString());
    REQUIRE(absl::IsInvalidArgument(status));
    return details_of(status).violations.at(0).field;
  };
  CHECK(field([](auto* r) { r->clear_granularity(); }) == "granularity");
  CHECK(field([](auto* r) { r->set_to_us(0); }) == "to_us");
  CHECK(field([](auto* r) { r->set_to_us(INT64_MAX); }) == "to_us");
  CHECK(field([](auto* r) { r->add_group_by(v1::SALES_DIMENSION_UNSPECIFIED); }) == "group_by");
  CHECK(field([](auto* r) { r->set_page_size(-1); }) == "page_size");
  CHECK(field([](auto* r) { r->set_page_token("x"); }) == "page_token");
  CHECK(field([](auto* r) { r->add_store_ids(std::string("a\0b", 3)); }) == "store_ids");
  CHECK(field([](auto* r) {
          for (int i = 0; i <= 1000; ++i) r->add_countries("DE");
        }) == "countries");
}

TEST_CASE("a product without the view of a granularity is told so") {
  SalesServer server;
  server.start();
  v1::GetSalesRequest request = by_hour();
  request.set_granularity(v1::SALES_GRANULARITY_DAY);
  const absl::Status status = server.sales(request).status();
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.ToString().find("it has no view sales_by_day") != std::string::npos);
}

TEST_CASE("the best products of a day come by place") {
  SalesServer server;
  server.start();
  const auto day = server.top("1970-01-01");
  INFO(day.status().ToString());
  REQUIRE(day.ok());
  REQUIRE(day->products_size() == 2);
  CHECK(day->products(0).product_id() == "p1");
  CHECK(day->products(0).place() == 1);
  CHECK(day->products(0).revenue() == "9.00");
  CHECK(day->products(0).items() == 7);
  CHECK(server.top("1970-01-01", 1)->products_size() == 1);
  CHECK(server.top("1970-01-03")->products_size() == 0);
  CHECK(absl::IsInvalidArgument(server.top("yesterday").status()));
  CHECK(absl::IsInvalidArgument(server.top("1970-01-01", 1001).status()));
}

TEST_CASE("sales are for those who may query the product") {
  SalesServer server;
  server.options.tokens_file =
      server.directory.write("tokens", "a 3c0a6b1f9d5e4b7288aa query=other\n");
  server.start();
  CHECK(absl::IsUnauthenticated(server.sales(by_hour()).status()));
  CHECK(absl::IsUnauthenticated(server.top("1970-01-01").status()));
}

TEST_CASE("a literal of SQL is what was given") {
  CHECK(sql_literal("a") == "'a'");
  CHECK(sql_literal("o'neil''") == "'o''neil'''''");
  CHECK(sql_literal("") == "''");
}

}  // namespace
}  // namespace kappa::serve
