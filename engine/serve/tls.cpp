#include "engine/serve/tls.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace kappa::serve {

absl::Status check_tls_files(const TlsFiles& files) {
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError(
        "TLS needs both a certificate and its key; one of the two files is not given");
  }
  if (!files.enabled() && !files.client_ca.empty()) {
    return absl::InvalidArgumentError(
        "client certificates can only be asked for with TLS: give a certificate and its key");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> read_text_file(const std::string& path, const std::string& what) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", what, " ", path, ": ", std::strerror(errno)));
  }
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

}  // namespace kappa::serve
