#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/cli/deployment.h"
#include "engine/serve/client.h"
#include "engine/serve/server.h"

namespace kappa::cli {

// How a command finds what it works on.
struct ConnectOptions {
  ConnectOptions() { client.server.clear(); }
  serve::ClientOptions client;  // `server` empty: whoever holds the data directory
  std::string data = "./kappa-data";
  std::string command;  // for the lock: "kappa query"
  // When nobody serves:
  bool with_products = false;    // open the products too, not only the log
  bool makes_directory = false;  // make the data directory if there is none
  LogChoice log;
  bool needs_server = false;  // or refuse: what is asked for lives in a server
};

// A way to a deployment: through the server named, else the server that holds the data directory,
// else by taking the directory's lock and serving it to ourselves for as long as the command runs.
// So a command is written once, against the client. Products opened here are read as of their last
// checkpoint and the journal; nothing is applied that the journal does not have.
class Connection {
 public:
  // NotFound: no server was named and there is no data directory. Unavailable: another process
  // holds the directory and has not come to serve it within ten seconds. FailedPrecondition: nobody
  // serves, and it needs a server.
  static absl::StatusOr<std::unique_ptr<Connection>> open(ConnectOptions options);
  ~Connection();

  serve::Client& client() { return *client_; }
  // What we serve to ourselves, or nullptr.
  Deployment* own() { return deployment_.get(); }

 private:
  // The address of who serves the directory: another process, or we ourselves.
  absl::StatusOr<std::string> find_server(const ConnectOptions& options);
  absl::Status open_own(const ConnectOptions& options);

  std::unique_ptr<Deployment> deployment_;
  std::unique_ptr<serve::Server> server_;
  std::unique_ptr<serve::Client> client_;
};

}  // namespace kappa::cli
