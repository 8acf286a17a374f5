#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/serve/access.h"
#include "engine/serve/metrics.h"

namespace grpc {
class ServerContextBase;
}

namespace kappa::serve {

// Lets callers in, and keeps the audit: who was denied what, and who did, or failed to do, what
// cannot be undone by calling again. Without an access list everyone who can connect may do
// everything, but for seeing ids that a service gives pseudonyms of. Thread-safe.
class Gate {
 public:
  // `audit` gets one line for each denial, each deed and each that has failed; any thread calls it.
  // `raw_ids`: without an access list, whether callers may see ids as they are.
  Gate(std::optional<AccessList> access, std::function<void(const std::string&)> audit,
       bool raw_ids = false);

  absl::Status admit(const grpc::ServerContextBase& context, Method method, Right right,
                     std::string_view product) const;
  // For HTTP: the value of the Authorization header.
  absl::Status admit(std::optional<std::string_view> authorization, Right right,
                     const std::string& what, const std::string& peer) const;
  // Whether a caller that has been let in gets ids as they are, and not their pseudonyms.
  bool may_see_raw_ids(const grpc::ServerContextBase& context, std::string_view product) const;
  // Who calls, for the audit: the token's name, else what the certificate says, and from where:
  // "ops at ipv4:127.0.0.1:50312".
  std::string caller(const grpc::ServerContextBase& context) const;
  // "done kappa.v1.Replay/SwapGeneration by ops at …: product shop, …": that `who`, a caller(), has
  // done `what`. To be called once it is done.
  void done(Method method, std::string_view who, std::string_view what) const;
  // "failed kappa.v1.Replay/SwapGeneration by ops at …: product shop, generation 2,
  // FAILED_PRECONDITION: …": that `who` wanted it for `what`, and why it was not done. It is one
  // line, whatever the status says.
  void failed(Method method, std::string_view who, std::string_view what,
              const absl::Status& status) const;
  bool has_access_list() const { return access_.has_value(); }

 private:
  const std::optional<AccessList> access_;
  const std::function<void(const std::string&)> audit_;
  const bool raw_ids_;
};

}  // namespace kappa::serve
