#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace kappa::serve {

// Files of a server's identity, in PEM. All empty: no TLS.
struct TlsFiles {
  std::string certificate;  // its own first, then the intermediate ones
  std::string key;
  std::string client_ca;  // clients need a certificate signed by it; empty: they need none

  bool enabled() const { return !certificate.empty(); }
};

// InvalidArgument: a file is missing from the set.
absl::Status check_tls_files(const TlsFiles& files);

// A whole file. InvalidArgument names it and `what` it was to be.
absl::StatusOr<std::string> read_text_file(const std::string& path, const std::string& what);

}  // namespace kappa::serve
