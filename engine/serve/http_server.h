#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/serve/address.h"
#include "engine/serve/gate.h"
#include "engine/serve/metrics.h"
#include "engine/serve/tls.h"

namespace kappa::serve {

// Whether the server is ready to answer; if not, why: a line each.
struct Readiness {
  bool ready = false;
  std::string text;
};

// HTTP for probes and for Prometheus: /metrics, /livez, /readyz. Threads of its own.
//
// Probes are open to everyone who can connect. /metrics needs a token with the right `metrics` if
// there is an access list, and a client certificate if the server asks for them.
class HttpServer {
 public:
  // Borrowed things outlive it. `tls` is taken if it names a certificate.
  static absl::StatusOr<std::unique_ptr<HttpServer>> start(const Address& address,
                                                           const TlsFiles& tls, const Gate* gate,
                                                           const Metrics* metrics,
                                                           std::function<Readiness()> readiness);
  ~HttpServer();

  uint16_t port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kappa::serve
