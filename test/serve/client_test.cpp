// What the client makes of answers and of the lack of them.
#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

TEST_CASE("the client gives the rows of a query as typed values, with stamp and waiting rows") {
  TestServer server;
  server.start();
  const auto answer = server.client()->query("shop", "SELECT * FROM sales ORDER BY store, 2");
  INFO(answer.status().ToString());
  REQUIRE(answer.ok());
  CHECK(answer->schema == sales_view().schema);
  REQUIRE(answer->rows.size() == 5);
  CHECK(answer->rows[0] == sales_view().rows[3]);
  CHECK(answer->rows[4] == sales_view().rows[2]);
  CHECK(answer->stamp.generation == 3);
  CHECK(answer->stamp.place == server.views.stamp.place);
  CHECK(answer->stamp.watermark == EventTime{-5});
  REQUIRE(answer->waiting.size() == 1);
  CHECK(answer->waiting[0].view == "sales");
  CHECK(answer->waiting[0].waiting.rows == 7);
  CHECK(answer->waiting[0].waiting.until == EventTime{90'000'000});
}

TEST_CASE("the client gets rows by key and scans pages") {
  TestServer server;
  server.start();
  const auto client = server.client();
  const auto got = client->get("", "cards", {{Value::text("c2")}, {Value::text("none")}});
  REQUIRE(got.ok());
  REQUIRE(got->rows.size() == 2);
  CHECK(got->rows[0] == cards_view().rows[0]);
  CHECK_FALSE(got->rows[1].has_value());

  std::vector<Row> rows;
  int pages = 0;
  ScanBounds bounds;
  bounds.start = {Value::text("s1"), Value::timestamptz(0)};
  REQUIRE(client
              ->scan(
                  "", "sales", bounds,
                  [&](RowsAnswer page) {
                    ++pages;
                    for (Row& row : page.rows) rows.push_back(std::move(row));
                    return true;
                  },
                  3)
              .ok());
  CHECK(pages == 2);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == sales_view().rows[4]);
  pages = 0;
  REQUIRE(client
              ->scan(
                  "", "sales", {}, [&](const RowsAnswer&) { return ++pages < 2; }, 1)
              .ok());
  CHECK(pages == 2);
}

TEST_CASE("the client describes views") {
  TestServer server;
  server.start();
  const auto views = server.client()->views("shop");
  REQUIRE(views.ok());
  REQUIRE(views->size() == 2);
  CHECK((*views)[1].columns == sales_view().schema);
  CHECK((*views)[1].key == std::vector<std::string>{"store", "window_start"});
  CHECK((*views)[1].emit == operators::Emit::kFinal);
}

TEST_CASE("an error of the server comes with its words and details") {
  TestServer server;
  server.start();
  const absl::Status status = server.client()->query("", "SELECT nothing FROM cards").status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(details_of(status).reason == "INVALID_SQL");
}

TEST_CASE("where nobody answers, the client names the address") {
  TestServer server;
  server.start();
  const auto client = server.client();
  server.server->stop();
  const absl::Status status = client->views("").status();
  INFO(status.ToString());
  CHECK(absl::IsUnavailable(status));
  CHECK(status.ToString().find("no kappa server answers at 127.0.0.1:") != std::string::npos);
}

TEST_CASE("a server that is busy restoring is not taken for one that is absent") {
  TestServer server;
  ServedProduct bank;
  bank.name = "bank";
  server.more_products = {bank};
  server.start();
  const absl::Status status = server.client()->query("bank", "SELECT 1").status();
  CHECK(absl::IsUnavailable(status));
  CHECK(status.ToString().find("restoring") != std::string::npos);
}

TEST_CASE("client options that are wrong are refused") {
  const auto refused = [](const ClientOptions& options) {
    return absl::IsInvalidArgument(Client::make(options).status());
  };
  TemporaryDirectory directory;
  ClientOptions options;
  options.server = "nowhere";
  CHECK(refused(options));
  options = {};
  options.ca_file = "/no/such/file";
  CHECK(refused(options));
  options = {};
  options.certificate_file = directory.write("c", "x");
  CHECK(refused(options));
  options = {};
  options.token_file = "/no/such/file";
  CHECK(refused(options));
  options.token_file = directory.write("t", "two tokens\n");
  CHECK(refused(options));
  options.token_file = directory.write("t", "\n");
  CHECK(refused(options));
}

TEST_CASE("appends larger than a request go in several") {
  TestServer server;
  server.start();
  const auto client = server.client();
  REQUIRE(client->create_topic("wide", {}).ok());
  std::vector<RecordToSend> records(100);
  for (RecordToSend& record : records) record.value = std::string(500'000, 'x');
  const auto appended = client->append("wide", records, /*synced=*/false);
  INFO(appended.status().ToString());
  REQUIRE(appended.ok());
  REQUIRE(appended->size() == 100);
  CHECK(appended->back().offset == Offset{99});
}

}  // namespace
}  // namespace kappa::serve
