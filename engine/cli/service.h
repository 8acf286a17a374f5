#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/cli/deployment.h"
#include "engine/cli/stop_signal.h"
#include "engine/serve/server.h"

namespace kappa::cli {

// What `kappa serve` and `kappa playground` have in common.
struct ServiceOptions {
  DeploymentOptions deployment;
  std::string listen = "127.0.0.1:7070";
  std::string http = "127.0.0.1:7071";  // empty: no HTTP
  bool insecure = false;
  serve::TlsFiles tls;
  std::string tokens_file;
  std::string pseudonym_key_file;  // empty: a random key
  bool raw_ids = false;
};

// A deployment with its server, running. One thread.
class Service {
 public:
  // Takes the data directory, listens, applies `products`, restores, runs. What the user should
  // know goes to standard error.
  static absl::StatusOr<std::unique_ptr<Service>> start(const ServiceOptions& options,
                                                        const std::vector<ProductFiles>& products);
  // The same. A stop signal that comes before it is done ends the process at once, with kExitOk:
  // nothing has been promised to anybody, and what is left is what a crash would leave.
  static absl::StatusOr<std::unique_ptr<Service>> start(const ServiceOptions& options,
                                                        const std::vector<ProductFiles>& products,
                                                        StopSignal& signal);
  ~Service();

  Deployment& deployment() { return *deployment_; }
  std::string grpc_address() const;  // host:port, the port as it really is
  std::string http_address() const;  // empty: none
  // Why it can no longer run, if so.
  absl::Status failure() const { return deployment_->failure(); }
  // Says "not ready", ends the pipelines with a checkpoint each, then the server.
  absl::Status stop();

 private:
  Service() = default;
  absl::Status run(const ServiceOptions& options, const std::vector<ProductFiles>& products);
  absl::Status listen(const ServiceOptions& options);

  std::unique_ptr<Deployment> deployment_;
  std::unique_ptr<serve::Server> server_;  // before the deployment, whose readers it uses
  std::string listen_;
  std::string http_;
};

}  // namespace kappa::cli
