#include "engine/serve/address.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/types/text.h"

namespace kappa::serve {
namespace {

constexpr std::string_view kExample = "host:port, as in 127.0.0.1:7070 or [::1]:7070";

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Addresses resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const std::string port = absl::StrCat(address.port);
  if (getaddrinfo(address.host.c_str(), port.c_str(), &hints, &list) != 0) return nullptr;
  return Addresses(list);
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
  }
  return false;
}

// errno of an attempt to listen; 0: it works.
int try_listen(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  int error = 0;
  if (bind(fd, address.ai_addr, address.ai_addrlen) != 0 || listen(fd, 1) != 0) error = errno;
  close(fd);
  return error;
}

// Inodes of the sockets that listen on `port`, from /proc/net/tcp and tcp6. Fields of a line:
// number, local address:port, remote address:port, state (0A: listening), …, inode (the tenth).
std::vector<std::string> listening_inodes(uint16_t port) {
  std::vector<std::string> inodes;
  const std::string suffix = absl::StrFormat(":%04X", port);
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::vector<std::string> fields;
      for (std::string word; words >> word;) fields.push_back(word);
      if (fields.size() >= 10 && fields[1].ends_with(suffix) && fields[3] == "0A") {
        inodes.push_back(fields[9]);
      }
    }
  }
  return inodes;
}

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) names.emplace_back(entry->d_name);
  closedir(dir);
  return names;
}

bool holds_socket(const std::string& pid, const std::vector<std::string>& inodes) {
  const std::string dir = "/proc/" + pid + "/fd/";
  for (const std::string& fd : entries_of(dir)) {
    char target[64];
    const ssize_t size = readlink((dir + fd).c_str(), target, sizeof target);
    if (size <= 0) continue;
    const std::string_view link(target, static_cast<size_t>(size));
    for (const std::string& inode : inodes) {
      if (link == "socket:[" + inode + "]") return true;
    }
  }
  return false;
}

// The first words of a process's command line.
std::string command_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/cmdline", std::ios::binary);
  std::string command((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::replace(command.begin(), command.end(), '\0', ' ');
  if (command.size() > 80) command = command.substr(0, 80) + "…";
  return command;
}

absl::Status taken(const Address& address, std::string_view flag) {
  const std::string holder = describe_port_holder(address.port);
  return absl::FailedPreconditionError(absl::StrCat(
      "port ", address.port, " of ", address.host, " is taken by ",
      holder.empty() ? "another process" : holder, "; stop it, or listen elsewhere with ",
      to_absl(flag), " ", Address{address.host, 0}.text(), " (port 0: any that is free)"));
}

}  // namespace

std::string Address::text() const {
  const bool v6 = host.find(':') != host.npos;
  return absl::StrCat(v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
}

absl::StatusOr<Address> parse_address(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("address ", excerpt(text), ": ", to_absl(what),
                                                   "; expected ", to_absl(kExample)));
  };
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return wrong("there is no port");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return wrong("an IPv6 address goes in brackets");
  }
  if (host.empty()) return wrong("there is no host");
  uint32_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  if (!absl::SimpleAtoi(to_absl(digits), &port) || port > 65535) {
    return wrong("the port is not a number from 0 to 65535");
  }
  return Address{std::string(host), static_cast<uint16_t>(port)};
}

bool is_loopback(const Address& address) {
  const Addresses list = resolve(address);
  if (!list) return false;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    if (!is_loopback(*entry->ai_addr)) return false;
  }
  return true;
}

absl::Status check_listenable(const Address& address, std::string_view flag) {
  const Addresses list = resolve(address);
  int error = list ? 0 : EADDRNOTAVAIL;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    error = try_listen(*entry);
    if (error != 0) break;
  }
  switch (error) {
    case 0:
    case EAFNOSUPPORT:  // localhost may name ::1 on a machine without IPv6
      return absl::OkStatus();
    case EADDRINUSE:
      return taken(address, flag);
    case EACCES:
      return absl::PermissionDeniedError(
          absl::StrCat("not allowed to listen on port ", address.port,
                       "; choose one of 1024 and above with ", to_absl(flag)));
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(address.host, " is no address of this machine (", std::strerror(error),
                       "); choose one with ", to_absl(flag)));
  }
}

std::string describe_port_holder(uint16_t port) {
  const std::vector<std::string> inodes = listening_inodes(port);
  if (inodes.empty()) return "";
  for (const std::string& pid : entries_of("/proc")) {
    if (pid.find_first_not_of("0123456789") != pid.npos) continue;
    if (holds_socket(pid, inodes)) {
      return absl::StrCat("process ", pid, " (", command_of(pid), ")");
    }
  }
  return "";
}

}  // namespace kappa::serve
