// Listening, TLS, tokens, health, reflection, probes and metrics.
#include <cstdlib>
#include <thread>

#include <catch2/catch.hpp>

#include "engine/serve/api_error.h"
#include "test/serve/fake_generations.h"
#include "test/serve/raw_call.h"
#include "test/serve/test_server.h"

namespace kappa::serve {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

absl::Status start_with(const ServerOptions& options) {
  TestServer parts;
  return Server::start(options, {parts.product()}, parts.log.get()).status();
}

// HealthCheckRequest{service} and what is served: 1 serving, 2 not.
int health_of(const TestServer& server, const std::string& service) {
  const std::string request = std::string("\x0a") + static_cast<char>(service.size()) + service;
  const auto answer =
      raw_call(server.address(), "/grpc.health.v1.Health/Check", service.empty() ? "" : request);
  if (!answer.ok()) return -static_cast<int>(answer.status().code());
  return answer->size() == 2 ? (*answer)[1] : 0;
}

TEST_CASE("a server tells the ports it has found") {
  TestServer server;
  server.start();
  CHECK(server.server->port() != 0);
  CHECK(server.server->http_port() != 0);
  CHECK(server.server->port() != server.server->http_port());
}

TEST_CASE("a taken port is refused with its holder and the flag that changes it") {
  TestServer server;
  server.start();
  ServerOptions options = test_options();
  options.listen = server.address();
  absl::Status status = start_with(options);
  INFO(status.ToString());
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(contains(status.ToString(), "port " + std::to_string(server.server->port())));
  CHECK(contains(status.ToString(), "is taken by process "));
  CHECK(contains(status.ToString(), "--listen"));
  options = test_options();
  options.http_listen = "127.0.0.1:" + std::to_string(server.server->http_port());
  status = start_with(options);
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(contains(status.ToString(), "--http "));
}

TEST_CASE("an address that others can reach is refused without TLS, unless told otherwise") {
  ServerOptions options = test_options();
  options.listen = "0.0.0.0:0";
  absl::Status status = start_with(options);
  INFO(status.ToString());
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(contains(status.ToString(), "--insecure"));
  options = test_options();
  options.http_listen = "0.0.0.0:0";
  CHECK(absl::IsFailedPrecondition(start_with(options)));
  options.listen = "0.0.0.0:0";
  options.insecure = true;
  CHECK(start_with(options).ok());
}

TEST_CASE("options that are wrong are refused by name") {
  ServerOptions options = test_options();
  options.listen = "7070";
  CHECK(contains(start_with(options).ToString(), "--listen: address \"7070\""));
  options = test_options();
  options.tls.certificate = "/tmp/only-one.pem";
  CHECK(absl::IsInvalidArgument(start_with(options)));
  options.tls.key = "/no/such/key.pem";
  CHECK(contains(start_with(options).ToString(), "/tmp/only-one.pem"));
  options = test_options();
  options.tls.client_ca = "/tmp/ca.pem";
  CHECK(absl::IsInvalidArgument(start_with(options)));
  options = test_options();
  options.tokens_file = "/no/such/file";
  CHECK(contains(start_with(options).ToString(), "/no/such/file"));
}

TEST_CASE("health follows the products, each and together") {
  TestServer server;
  ServedProduct bank;
  bank.name = "bank";
  server.more_products = {bank};
  server.start();
  CHECK(health_of(server, "shop") == 1);
  CHECK(health_of(server, "bank") == 2);
  CHECK(health_of(server, "") == 2);
  CHECK(health_of(server, "other") == -static_cast<int>(absl::StatusCode::kNotFound));
  bank = server.product();
  bank.name = "bank";
  server.server->set_product(bank);
  CHECK(health_of(server, "bank") == 1);
  CHECK(health_of(server, "") == 1);
  server.server->drain();
  CHECK(health_of(server, "shop") == 2);
  CHECK(health_of(server, "") == 2);
}

TEST_CASE("a pipeline that is too busy to tell is not taken for one that has failed") {
  TestServer server;
  server.stats.failure = absl::DeadlineExceededError("the read did not get its turn in time");
  server.start();
  CHECK(health_of(server, "shop") == 1);
  CHECK(http_get(server.server->http_port(), "/readyz")->status == 200);
  CHECK(server.client()->inspect("shop", false)->products[0].state == "running");
}

TEST_CASE("a pipeline that fails is noticed by itself") {
  TestServer server;
  std::atomic<bool> failed = false;
  server.start();
  ServedProduct product = server.product();
  product.stats = [&] {
    runtime::PipelineStats stats;
    if (failed) stats.failure = absl::DataLossError("a gap");
    return stats;
  };
  server.server->set_product(product);
  CHECK(health_of(server, "shop") == 1);
  failed = true;
  while (health_of(server, "shop") != 2) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto ready = http_get(server.server->http_port(), "/readyz");
  CHECK(ready->status == 503);
  CHECK(ready->body == "not ready: product shop has failed: a gap\n");
  server.server->stop();
}

// ServerReflectionRequest{list_services: "*"}
absl::StatusOr<std::string> reflect(const TestServer& server) {
  return raw_call(server.address(),
                  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "\x3a\x01*");
}

TEST_CASE("reflection lists the services") {
  TestServer server;
  server.start();
  const auto answer = reflect(server);
  INFO(answer.status().ToString());
  REQUIRE(answer.ok());
  for (const char* service :
       {"kappa.v1.Query", "kappa.v1.Ingest", "kappa.v1.Admin", "grpc.health.v1.Health"}) {
    CHECK(contains(*answer, service));
  }
}

TEST_CASE("where tokens are asked for there is no reflection, and health stays open") {
  TestServer open;
  open.start();
  TestServer guarded;
  guarded.options.tokens_file =
      guarded.directory.write("tokens", "reader rrrrrrrrrrrrrrrr query\n");
  guarded.start();
  const auto answer = reflect(guarded);
  INFO(answer.status().ToString());
  CHECK(absl::IsUnimplemented(answer.status()));
  CHECK(health_of(guarded, "") == 1);
  CHECK(health_of(guarded, "shop") == 1);
  // Neither server has taken anything from the other.
  CHECK(reflect(open).ok());
}

TEST_CASE("probes answer: alive always, ready when every product is") {
  TestServer server;
  ServedProduct bank;
  bank.name = "bank";
  server.more_products = {bank};
  server.start();
  const int port = server.server->http_port();
  CHECK(http_get(port, "/livez")->status == 200);
  auto ready = http_get(port, "/readyz");
  CHECK(ready->status == 503);
  CHECK(ready->body == "not ready: product bank is restoring\n");
  bank = server.product();
  bank.name = "bank";
  server.server->set_product(bank);
  ready = http_get(port, "/readyz");
  CHECK(ready->status == 200);
  CHECK(ready->body == "ok\n");
  server.server->drain();
  CHECK(http_get(port, "/readyz")->status == 503);
  CHECK(http_get(port, "/livez")->status == 200);
  CHECK(http_get(port, "/nothing")->status == 404);
}

TEST_CASE("HTTP can be left out") {
  TestServer server;
  server.options.http_listen = "";
  server.start();
  CHECK(server.server->http_port() == 0);
  CHECK(server.client()->views("")->size() == 2);
}

TEST_CASE("a scrape shows the documented metrics with their values") {
  TestServer server;
  server.stats.epochs = 10;
  server.stats.records = 1000;
  server.stats.checkpoints = 4;
  server.stats.checkpoint_seconds = 0.5;
  server.stats.last_checkpoint_ms = 1'699'999'000'000;
  server.stats.outbox_pending = 3;
  server.stats.state_bytes = 4096;
  server.stats.epoch_seconds = {0.0002, 0.002};
  server.stats.views = {{"cards", 3, 5, 1, 2, EventTime{1'699'999'990'000'000}}};
  server.stats.sources = {{"sales", 900, 7, 8, kNoEventTime, {}}};
  server.start();
  REQUIRE(server.client()->query("", "SELECT * FROM cards").ok());
  REQUIRE_FALSE(server.client()->query("", "SELECT nothing FROM cards").ok());
  auto answer = http_get(server.server->http_port(), "/metrics");
  // A call is counted once its answer is sent, which its caller may see first.
  for (int i = 0;
       i < 1000 && answer.ok() &&
       !contains(answer->body, R"(handling_seconds_count{method="kappa.v1.Query/Sql"} 2)");
       ++i) {
    answer = http_get(server.server->http_port(), "/metrics");
  }
  REQUIRE(answer.ok());
  CHECK(answer->status == 200);
  CHECK(contains(answer->content_type, "text/plain; version=0.0.4"));
  const std::string& text = answer->body;
  INFO(text);
  for (
      const char* line : {
          R"(kappa_records_consumed_total{product="shop",topic="sales"} 900)",
          R"(kappa_dead_letters_total{product="shop",topic="sales",reason="malformed"} 7)",
          R"(kappa_dead_letters_total{product="shop",view="cards",reason="expression_error"} 1)",
          R"(kappa_dead_letters_total{product="shop",view="cards",reason="duplicate_key"} 2)",
          R"(kappa_late_records_total{product="shop",view="cards"} 5)",
          R"(kappa_consumer_lag_records{product="shop",topic="sales"} 8)",
          R"(kappa_watermark_lag_seconds{product="shop",view="cards"} 10)",
          R"(kappa_epochs_total{product="shop"} 10)",
          R"(kappa_epoch_duration_seconds_count{product="shop"} 10)",
          R"(kappa_epoch_duration_seconds_bucket{product="shop",le="0.00025"} 5)",
          R"(kappa_epoch_duration_seconds_bucket{product="shop",le="+Inf"} 10)",
          R"(kappa_epoch_records_count{product="shop"} 10)",
          R"(kappa_epoch_records_sum{product="shop"} 1000)",
          R"(kappa_checkpoints_total{product="shop"} 4)",
          R"(kappa_checkpoint_duration_seconds{product="shop"} 0.5)",
          R"(kappa_last_checkpoint_timestamp_seconds{product="shop"} 1699999000)",
          R"(kappa_outbox_pending_records{product="shop"} 3)",
          R"(kappa_state_rows{product="shop",view="cards"} 3)",
          R"(kappa_state_bytes{product="shop",generation="3"} 4096)",
          R"(kappa_product_ready{product="shop"} 1)",
          R"(kappa_grpc_server_handled_total{code="OK",method="kappa.v1.Query/Sql"} 1)",
          R"(kappa_grpc_server_handled_total{code="INVALID_ARGUMENT",method="kappa.v1.Query/Sql"} 1)",
          R"(kappa_grpc_server_handling_seconds_count{method="kappa.v1.Query/Sql"} 2)",
          R"(kappa_build_info{version="1.2.3-test"} 1)",
      }) {
    INFO(line);
    CHECK(contains(text, std::string(line) + "\n"));
  }
}

TEST_CASE("tokens decide who may do what, over gRPC and HTTP, and denials are on record") {
  TestServer server;
  std::mutex mutex;
  std::vector<std::string> denials;
  server.options.audit = [&](const std::string& line) {
    std::lock_guard lock(mutex);
    denials.push_back(line);
  };
  server.options.tokens_file = server.directory.write("tokens",
                                                      "reader  rrrrrrrrrrrrrrrr query=shop\n"
                                                      "feeder  ffffffffffffffff ingest metrics\n"
                                                      "ops     oooooooooooooooo all\n");
  ServedProduct bank = server.product();
  bank.name = "bank";
  server.more_products = {bank};
  server.start();
  const auto client = [&](const std::string& token) {
    ClientOptions options;
    if (!token.empty()) options.token_file = server.directory.write(token, token + "\n");
    return server.client(options);
  };
  const auto nobody = client("");
  const auto reader = client("rrrrrrrrrrrrrrrr");
  const auto feeder = client("ffffffffffffffff");
  const auto ops = client("oooooooooooooooo");
  const std::string sql = "SELECT * FROM cards";

  CHECK(absl::IsUnauthenticated(nobody->query("shop", sql).status()));
  CHECK(absl::IsUnauthenticated(client("xxxxxxxxxxxxxxxx")->query("shop", sql).status()));
  CHECK(absl::IsUnauthenticated(nobody->get("shop", "cards", {{Value::text("c1")}}).status()));
  CHECK(absl::IsUnauthenticated(nobody->views("").status()));
  CHECK(absl::IsUnauthenticated(nobody->topics().status()));
  CHECK(absl::IsUnauthenticated(nobody->append("t", {{}}).status()));
  CHECK(absl::IsUnauthenticated(nobody->inspect("", false).status()));
  CHECK(absl::IsUnauthenticated(nobody->create_topic("t", {})));
  CHECK(absl::IsUnauthenticated(
      nobody->read_topic("t", {}, [](const ReceivedRecord&) { return true; })));
  CHECK(absl::IsUnauthenticated(
      nobody->scan("shop", "cards", {}, [](const RowsAnswer&) { return true; })));
  // A stranger does not learn what there is.
  CHECK(absl::IsUnauthenticated(nobody->query("no_such_product", sql).status()));

  CHECK(reader->query("shop", sql).ok());
  CHECK(reader->get("shop", "cards", {{Value::text("c1")}}).ok());
  CHECK(absl::IsPermissionDenied(reader->query("bank", sql).status()));
  CHECK(absl::IsPermissionDenied(reader->topics().status()));
  CHECK(absl::IsPermissionDenied(reader->append("t", {{}}).status()));
  const auto visible = reader->views("");
  REQUIRE(visible.ok());
  CHECK(visible->size() == 2);
  for (const ViewInfo& view : *visible) CHECK(view.product == "shop");

  CHECK(absl::IsPermissionDenied(feeder->query("shop", sql).status()));
  REQUIRE(ops->create_topic("t", {}).ok());
  CHECK(feeder->append("t", {{}}).ok());
  CHECK(ops->query("bank", sql).ok());
  CHECK(ops->views("")->size() == 4);

  const int port = server.server->http_port();
  CHECK(http_get(port, "/metrics")->status == 401);
  CHECK(http_get(port, "/metrics", "Bearer rrrrrrrrrrrrrrrr")->status == 403);
  CHECK(http_get(port, "/metrics", "Bearer ffffffffffffffff")->status == 200);
  CHECK(http_get(port, "/livez")->status == 200);
  CHECK(http_get(port, "/readyz")->status == 200);
  CHECK(health_of(server, "") == 1);
  server.server->stop();
  bool named = false;
  for (const std::string& line : denials) {
    CHECK_FALSE(contains(line, "rrrrrrrrrrrrrrrr"));
    named = named || contains(line, "denied kappa.v1.Query/Sql to ipv4:127.0.0.1");
  }
  CHECK(named);
}

// Makes a certificate authority, and certificates for localhost and for a client, with openssl.
class Certificates {
 public:
  explicit Certificates(const TemporaryDirectory& directory) {
    ca = directory / "ca.pem";
    const std::string ca_key = directory / "ca.key";
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=test-ca -keyout " +
        ca_key + " -out " + ca);
    const std::string names =
        directory.write("names", "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    sign(directory, "server", "localhost", ca_key, names);
    sign(directory, "client", "someone", ca_key, names);
    server = directory / "server.pem";
    server_key = directory / "server.key";
    client = directory / "client.pem";
    client_key = directory / "client.key";
  }
  std::string ca, server, server_key, client, client_key;

 private:
  static void run(const std::string& command) {
    INFO(command);
    REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0);
  }
  void sign(const TemporaryDirectory& directory, const std::string& name,
            const std::string& subject, const std::string& ca_key, const std::string& names) {
    const std::string base = directory / name;
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + subject +
        " -keyout " + base + ".key -out " + base + ".csr");
    run("openssl x509 -req -days 2 -in " + base + ".csr -CA " + ca + " -CAkey " + ca_key +
        " -CAcreateserial -extfile " + names + " -out " + base + ".pem");
  }
};

TEST_CASE("over TLS, who trusts the authority is answered and who does not speak TLS is not") {
  TestServer server;
  const Certificates certificates(server.directory);
  server.options.tls = {certificates.server, certificates.server_key, ""};
  server.options.listen = "0.0.0.0:0";  // TLS makes it allowed
  server.start();
  ClientOptions options;
  options.ca_file = certificates.ca;
  CHECK(server.client(options)->views("").ok());
  options = {};
  options.timeout_ms = 3000;
  CHECK_FALSE(server.client(options)->views("").ok());
  const int port = server.server->http_port();
  const auto scraped = http_get(port, "/metrics", "", certificates.ca);
  INFO(scraped.status().ToString());
  REQUIRE(scraped.ok());
  CHECK(scraped->status == 200);
  CHECK_FALSE(http_get(port, "/livez").ok());
}

TEST_CASE("with a clients' authority only callers with a certificate of it are answered") {
  TestServer server;
  const Certificates certificates(server.directory);
  server.options.tls = {certificates.server, certificates.server_key, certificates.ca};
  server.start();
  ClientOptions options;
  options.ca_file = certificates.ca;
  options.timeout_ms = 3000;
  CHECK_FALSE(server.client(options)->views("").ok());
  options.certificate_file = certificates.client;
  options.key_file = certificates.client_key;
  CHECK(server.client(options)->views("").ok());
  const int port = server.server->http_port();
  CHECK(http_get(port, "/metrics", "", certificates.ca)->status == 401);
  CHECK(http_get(port, "/livez", "", certificates.ca)->status == 200);
  CHECK(
      http_get(port, "/metrics", "", certificates.ca, certificates.client, certificates.client_key)
          ->status == 200);
}

TEST_CASE("the audit names a caller without a token by its certificate") {
  FakeGenerations control;
  std::string audit;  // written before the answer is sent
  TestServer server;
  const Certificates certificates(server.directory);
  server.options.tls = {certificates.server, certificates.server_key, certificates.ca};
  server.options.audit = [&](const std::string& line) { audit += line + "\n"; };
  server.start();
  ServedProduct shop = server.product();
  shop.generations = &control;
  server.server->set_product(shop);
  ClientOptions options;
  options.ca_file = certificates.ca;
  options.certificate_file = certificates.client;
  options.key_file = certificates.client_key;
  REQUIRE(server.client(options)->roll_back("shop", false, 10'000).ok());
  CHECK(contains(audit, "done kappa.v1.Replay/RollBack by localhost,127.0.0.1 at ipv4:127.0.0.1:"));
}

TEST_CASE("a certificate and a key that do not match are refused") {
  TestServer server;
  const Certificates certificates(server.directory);
  ServerOptions options = test_options();
  options.tls = {certificates.server, certificates.client_key, ""};
  const absl::Status status = start_with(options);
  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(contains(status.ToString(), certificates.client_key));
}

}  // namespace
}  // namespace kappa::serve
