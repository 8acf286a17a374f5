#include "test/serve/test_server.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace kappa::serve {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "kappa-serve-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& text) const {
  std::ofstream(*this / name, std::ios::binary) << text;
  return *this / name;
}

ServerOptions test_options() {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.http_listen = "127.0.0.1:0";
  options.version = "1.2.3-test";
  options.audit = [](const std::string&) {};
  return options;
}

TestServer::TestServer(ServerOptions with) : options(std::move(with)) {
  views.add("cards", cards_view());
  views.add("sales", sales_view());
  log::EmbeddedLogOptions log_options;
  log_options.fsync = log::Fsync::kOnSync;
  log_options.retention_check_ms = 0;
  auto opened = log::open_embedded_log(directory / "log", log_options);
  REQUIRE(opened.ok());
  log = *std::move(opened);
}

ServedProduct TestServer::product() {
  ServedProduct product;
  product.name = "shop";
  product.generation = 3;
  product.reader = &views;
  product.stats = [this] { return stats; };
  product.checksum = [] { return std::string("c0ffee"); };
  return product;
}

void TestServer::start() {
  std::vector<ServedProduct> products = {product()};
  for (ServedProduct& one : more_products) products.push_back(one);
  auto started = Server::start(options, std::move(products), log.get(), &clock);
  INFO(started.status().ToString());
  REQUIRE(started.ok());
  server = *std::move(started);
}

std::string TestServer::address() const {
  return "127.0.0.1:" + std::to_string(server->port());
}

std::unique_ptr<Client> TestServer::client(ClientOptions with) const {
  with.server = address();
  auto made = Client::make(with);
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  return *std::move(made);
}

FakeViews::View cards_view() {
  FakeViews::View view;
  view.schema = {{"card_id", Type::text()}, {"purchases", Type::bigint()}};
  view.key = {0};
  view.rows = {{Value::text("c2"), Value::bigint(2)},
               {Value::text("c1"), Value::bigint(1)},
               {Value::text("c3"), Value::bigint(3)}};
  return view;
}

FakeViews::View sales_view() {
  FakeViews::View view;
  view.schema = {{"store", Type::text()},         {"window_start", Type::timestamptz()},
                 {"n", Type::integer()},          {"total", Type::numeric(38, 2)},
                 {"price", Type::numeric(12, 3)}, {"share", Type::double_precision()},
                 {"open", Type::boolean()},       {"tag", Type::bytea()},
                 {"day", Type::date()},           {"spent", Type::interval()}};
  view.key = {0, 1};
  view.emit = operators::Emit::kFinal;
  view.event_time = 1;
  view.waiting = {7, EventTime{90'000'000}};
  const auto row = [&](const char* store, int64_t start, int32_t n) {
    return Row{Value::text(store),
               Value::timestamptz(start),
               Value::integer(n),
               Value{Type::numeric(38, 2), int128{-1'234'567'890'123'456'789} * 1000 - 5},
               Value{Type::numeric(12, 3), int64_t{-12'500}},
               Value::double_precision(0.1),
               Value::boolean(n % 2 == 1),
               Value{Type::bytea(), std::string("\x00\xff", 2)},
               Value{Type::date(), int32_t{-1}},
               Value{Type::interval(), int64_t{-1'500'000}}};
  };
  Row nulls = {Value::text("s2"), Value::timestamptz(60'000'000)};
  for (size_t i = 2; i < view.schema.size(); ++i) nulls.push_back(Value::null(view.schema[i].type));
  view.rows = {row("s2", 0, 3), row("s1", 60'000'000, 2), nulls, row("s1", -60'000'000, 1),
               row("s1", 0, 4)};
  return view;
}

}  // namespace kappa::serve
