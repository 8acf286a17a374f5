#include "engine/serve/address.h"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kappa::serve {
namespace {

// A socket of this process that listens on a free port of loopback.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(fd_, 1) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  uint16_t port = 0;

 private:
  int fd_;
};

TEST_CASE("addresses of all forms are read") {
  CHECK(parse_address("127.0.0.1:7070")->host == "127.0.0.1");
  CHECK(parse_address("127.0.0.1:7070")->port == 7070);
  CHECK(parse_address("[::1]:0")->host == "::1");
  CHECK(parse_address("[::1]:0")->text() == "[::1]:0");
  CHECK(parse_address("localhost:65535")->text() == "localhost:65535");
}

TEST_CASE("a malformed address is refused with an example of a right one") {
  for (const char* text : {"", "localhost", ":7070", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x",
                           "::1:7070", "127.0.0.1:-1"}) {
    const auto address = parse_address(text);
    INFO(text);
    REQUIRE(absl::IsInvalidArgument(address.status()));
    CHECK(address.status().ToString().find("127.0.0.1:7070") != std::string::npos);
  }
}

TEST_CASE("loopback is told from other addresses") {
  CHECK(is_loopback({"127.0.0.1", 1}));
  CHECK(is_loopback({"127.9.9.9", 1}));
  CHECK(is_loopback({"::1", 1}));
  CHECK(is_loopback({"localhost", 1}));
  CHECK_FALSE(is_loopback({"0.0.0.0", 1}));
  CHECK_FALSE(is_loopback({"::", 1}));
  CHECK_FALSE(is_loopback({"10.0.0.1", 1}));
  CHECK_FALSE(is_loopback({"no.such.host.invalid", 1}));
}

TEST_CASE("a taken port is refused by the name of its holder and of the flag") {
  const Listener listener;
  const absl::Status status = check_listenable({"127.0.0.1", listener.port}, "--listen");
  REQUIRE(absl::IsFailedPrecondition(status));
  const std::string message(status.message());
  INFO(message);
  CHECK(message.find("port " + std::to_string(listener.port)) != std::string::npos);
  CHECK(message.find("process " + std::to_string(getpid())) != std::string::npos);
  CHECK(message.find("test_serve") != std::string::npos);
  CHECK(message.find("--listen") != std::string::npos);
}

TEST_CASE("a free port can be listened on, also port 0") {
  uint16_t port = 0;
  {
    const Listener listener;
    port = listener.port;
  }
  CHECK(check_listenable({"127.0.0.1", port}, "--listen").ok());
  CHECK(check_listenable({"127.0.0.1", 0}, "--listen").ok());
  CHECK(describe_port_holder(port).empty());
}

TEST_CASE("an address of another machine cannot be listened on") {
  const absl::Status status = check_listenable({"192.0.2.1", 0}, "--listen");
  REQUIRE(absl::IsInvalidArgument(status));
  CHECK(status.ToString().find("192.0.2.1") != std::string::npos);
  CHECK(status.ToString().find("--listen") != std::string::npos);
}

}  // namespace
}  // namespace kappa::serve
