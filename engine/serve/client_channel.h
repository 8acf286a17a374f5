#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/serve/client.h"

namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace kappa::serve {

// A channel to a server, and what goes with every call on it.
class ClientChannel {
 public:
  static absl::StatusOr<ClientChannel> make(const ClientOptions& options);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // Adds the token, and the deadline unless the call is to go on.
  void prepare(grpc::ClientContext& context, bool endless = false) const;
  // What a call ended with; names the address if nobody answered there.
  absl::Status status_of(const grpc::Status& status) const;

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::string server_;
  std::string authorization_;  // empty: none
  int64_t timeout_ms_ = 0;
};

}  // namespace kappa::serve
