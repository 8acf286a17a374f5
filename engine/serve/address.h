#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::serve {

// Where to listen or to connect: "127.0.0.1:7070", "localhost:7070", "[::1]:7070".
struct Address {
  std::string host;  // without brackets
  uint16_t port = 0;

  std::string text() const;
};

// InvalidArgument says what is wrong and gives an example.
absl::StatusOr<Address> parse_address(std::string_view text);

// Whether everything that the host's name stands for is this machine only.
bool is_loopback(const Address& address);

// OK if the port can be listened on now (port 0 always can). FailedPrecondition: it is taken; the
// message names the port, who holds it where that can be found out, and `flag`, which changes it.
// InvalidArgument: the host is not an address of this machine.
absl::Status check_listenable(const Address& address, std::string_view flag);

// "process 4711 (kappa serve …)": who listens on a TCP port of this machine. Empty: not to be found
// (another user's process, no /proc).
std::string describe_port_holder(uint16_t port);

}  // namespace kappa::serve
