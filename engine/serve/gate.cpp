#include "engine/serve/gate.h"

#include <utility>

#include <grpcpp/server_context.h>

#include "absl/strings/str_cat.h"

namespace kappa::serve {

Gate::Gate(std::optional<AccessList> access, std::function<void(const std::string&)> audit)
    : access_(std::move(access)), audit_(std::move(audit)) {}

absl::Status Gate::admit(const grpc::ServerContextBase& context, Method method, Right right,
                         std::string_view product) const {
  if (!access_) return absl::OkStatus();
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  std::optional<std::string_view> authorization;
  if (found != metadata.end()) {
    authorization = std::string_view(found->second.data(), found->second.size());
  }
  absl::Status status = access_->check(authorization, right, product);
  if (!status.ok()) {
    audit_(absl::StrCat("denied ", std::string(method_name(method)), " to ", context.peer(), ": ",
                        status.message()));
  }
  return status;
}

absl::Status Gate::admit(std::optional<std::string_view> authorization, Right right,
                         const std::string& what, const std::string& peer) const {
  if (!access_) return absl::OkStatus();
  absl::Status status = access_->check(authorization, right, "");
  if (!status.ok()) {
    audit_(absl::StrCat("denied ", what, " to ", peer, ": ", status.message()));
  }
  return status;
}

}  // namespace kappa::serve
