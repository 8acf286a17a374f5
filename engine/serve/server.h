#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/log/log.h"
#include "engine/serve/limits.h"
#include "engine/serve/product.h"
#include "engine/serve/tls.h"
#include "engine/types/clock.h"

namespace kappa::serve {

struct ServerOptions {
  std::string listen = "127.0.0.1:7070";       // gRPC; port 0: any that is free
  std::string http_listen = "127.0.0.1:7071";  // empty: no HTTP
  // Addresses other than loopback need TLS, or this.
  bool insecure = false;
  TlsFiles tls;             // for both listeners
  std::string tokens_file;  // see AccessList; empty: whoever can connect may do everything
  // Holds the key of pseudonyms (pseudonyms.h); empty: one made at random, for as long as it runs.
  std::string pseudonym_key_file;
  bool raw_ids = false;  // without a tokens file: callers may see ids as they are
  ServerLimits limits;
  std::string version = "unknown";
  // As errors name them.
  std::string listen_flag = "--listen";
  std::string http_listen_flag = "--http";
  std::string insecure_flag = "--insecure";
  std::string raw_ids_flag = "--raw-ids";
  // Gets one line for each call that is denied, for each change of what is live and for each that
  // has failed (see Gate). Any thread calls it. Empty: they go to stderr.
  std::function<void(const std::string&)> audit;
};

// Serves products over gRPC (kappa.v1, grpc.health.v1, reflection) and HTTP.
//
//   start() ─► serving ─drain()─► not ready, still answering ─stop()─► stopped
//
// Thread-safe.
class Server {
 public:
  // `log` and `clock` (nullptr: the system's) outlive the server, and so does every reader of a
  // product. FailedPrecondition: a port is taken (the message names its holder), or an address
  // needs TLS; InvalidArgument: an option is wrong.
  static absl::StatusOr<std::unique_ptr<Server>> start(ServerOptions options,
                                                       std::vector<ServedProduct> products,
                                                       log::Log* log, const Clock* clock = nullptr);
  // Stops, if it has not.
  ~Server();

  // Serves a product that was restoring, or tells why it failed: replaces that of the same name.
  void set_product(ServedProduct product);

  // Says "not ready" on every probe, so that callers go elsewhere.
  void drain();
  // Ends: calls have `grace_ms` to end by themselves, then they are cancelled.
  void stop(int64_t grace_ms = 2000);

  uint16_t port() const;
  uint16_t http_port() const;  // 0: there is none

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kappa::serve
