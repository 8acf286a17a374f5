#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "absl/status/statusor.h"

namespace kappa::bench {

// The real binary serving a product, as a process of its own: `kappa serve`, which lies beside this
// one. Killed with this.
class ServedKappa {
 public:
  // Starts it and waits until it answers. `arguments` follow `serve`; output goes to files below
  // `directory`. Unavailable: it ended, or does not answer within a minute.
  static absl::StatusOr<std::unique_ptr<ServedKappa>> start(const std::string& directory,
                                                            std::vector<std::string> arguments);
  ~ServedKappa();
  ServedKappa(const ServedKappa&) = delete;
  ServedKappa& operator=(const ServedKappa&) = delete;

  const std::string& address() const { return address_; }  // of gRPC
  double cpu_seconds() const;                              // that it has used: user and system
  // Asks it to end and waits for that.
  absl::Status stop();

 private:
  ServedKappa() = default;
  absl::Status wait_for_address(const std::string& output);

  pid_t pid_ = -1;
  std::string address_;
};

}  // namespace kappa::bench
