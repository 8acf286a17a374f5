// Starting while Kafka does not answer.

#include <chrono>

#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "test/cli/process.h"
#include "test/cli/scratch.h"
#include "test/kafka/broker.h"

namespace kappa::cli {
namespace {

constexpr char kProduct[] =
    "CREATE FOREIGN TABLE sales (card text, amount numeric(12,2), ts timestamptz)\n"
    "SERVER log OPTIONS (topic 'sales', format 'json', event_time 'ts');\n"
    "CREATE MATERIALIZED VIEW spent AS SELECT card, sum(amount) AS amount FROM sales GROUP BY "
    "card;\n";

// A port that is taken, and where nobody listens: connections are refused.
class DeafPort {
 public:
  DeafPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~DeafPort() { close(socket_); }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;
  const std::string& address() const { return address_; }

 private:
  int socket_;
  std::string address_;
};

std::vector<std::string> serve(const Scratch& scratch, const std::string& brokers,
                               const std::vector<std::string>& more = {}) {
  std::vector<std::string> words = {"serve",
                                    "--output",
                                    "json",
                                    "--data",
                                    scratch.path("data"),
                                    "--product",
                                    scratch.path("shop"),
                                    "--listen",
                                    "127.0.0.1:0",
                                    "--http",
                                    "127.0.0.1:0",
                                    "--log",
                                    absl::StrCat("kafka://", brokers)};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void check_stops_soon(Process& process, int signal) {
  REQUIRE(process.wait_for_err("waiting for kafka://"));
  const auto begun = std::chrono::steady_clock::now();
  process.signal(signal);
  const Ended ended = process.wait();
  INFO(ended.err);
  CHECK(ended.code == 0);
  CHECK(absl::StrContains(ended.err, "kappa: stopping"));
  // What librdkafka's own calls wait for is five seconds and more.
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(4));
}

}  // namespace

TEST_CASE("a start that waits for a port where nobody listens says so, and stops when asked") {
  const Scratch scratch;
  scratch.file("shop/product.sql", kProduct);
  const DeafPort port;
  for (const int signal : {SIGTERM, SIGINT}) {
    Process process(scratch.directory(), serve(scratch, port.address()));
    check_stops_soon(process, signal);
  }
}

TEST_CASE("Kafka is waited for as long as --log-wait-s says") {
  const Scratch scratch;
  scratch.file("shop/product.sql", kProduct);
  const DeafPort port;
  const Ended ended = kappa(serve(scratch, port.address(), {"--log-wait-s", "0"}));
  INFO(ended.err);
  CHECK(ended.code == 1);
  CHECK(absl::StrContains(ended.err,
                          absl::StrCat("error: kafka://", port.address(), ": no broker answers")));
  CHECK_FALSE(absl::StrContains(ended.err, "waiting for"));
}

TEST_CASE(
    "a start that waits for a broker that hangs stops when asked, and goes on once it answers") {
  KAPPA_NEED_KAFKA();
  const Scratch scratch;
  scratch.file("shop/product.sql", kProduct);
  test::Broker broker;
  broker.pause();
  {
    Process process(scratch.directory(), serve(scratch, broker.bootstrap()));
    check_stops_soon(process, SIGTERM);
  }
  Process process(scratch.directory(), serve(scratch, broker.bootstrap()));
  REQUIRE(process.wait_for_err("waiting for kafka://"));
  broker.resume();
  CHECK(process.wait_for_output("ready"));
  // A restart that has a checkpoint and a journal waits, too.
  process.signal(SIGTERM);
  CHECK(process.wait().code == 0);
  broker.pause();
  Process again(scratch.directory(), serve(scratch, broker.bootstrap()));
  check_stops_soon(again, SIGTERM);
}

}  // namespace kappa::cli
