#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace kappa::serve {

// One call by the method's full name, with the bytes of a message: for services whose code is not
// generated here (health, reflection). Returns the bytes of the (first) answer.
absl::StatusOr<std::string> raw_call(const std::string& address, const std::string& method,
                                     const std::string& request, int64_t timeout_ms = 20'000);

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string content_type;
};
// GET of http://127.0.0.1:port/path, or of https:// if a certificate authority is given.
absl::StatusOr<HttpAnswer> http_get(int port, const std::string& path,
                                    const std::string& authorization = "",
                                    const std::string& ca_file = "",
                                    const std::string& certificate_file = "",
                                    const std::string& key_file = "");

}  // namespace kappa::serve
