#pragma once

// Includes gRPC, which headers otherwise do not: only the services that stream outputs include it.
#include <functional>
#include <memory>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "engine/serve/api_error.h"
#include "engine/serve/subscription.h"

namespace kappa::serve {

// A subscription whose messages a service sends as Response.
template <typename Response>
class SubscriptionReactor final : public grpc::ServerWriteReactor<Response>, public Subscription {
 public:
  // Fills in the empty response. An error ends the stream. Called for one message at a time.
  using Convert = std::function<absl::Status(const v1::SubscribeResponse&, Response*)>;

  SubscriptionReactor(const Backend& backend, SubscriptionRequest request, Convert convert)
      : Subscription(backend, std::move(request)), convert_(std::move(convert)) {}

  static grpc::ServerWriteReactor<Response>* start_new(const Backend& backend,
                                                       const grpc::ServerContextBase& context,
                                                       SubscriptionRequest request,
                                                       Convert convert) {
    auto stream =
        std::make_shared<SubscriptionReactor>(backend, std::move(request), std::move(convert));
    stream->start(stream, context);
    return stream.get();
  }

 private:
  absl::Status write(const v1::SubscribeResponse& message) override {
    response_.Clear();
    absl::Status status = convert_(message, &response_);
    if (status.ok()) this->StartWrite(&response_);
    return status;
  }
  void finish(const absl::Status& status) override { this->Finish(to_grpc(status)); }
  void OnWriteDone(bool ok) override { written(ok); }
  void OnCancel() override { cancel(); }
  void OnDone() override { done(); }

  const Convert convert_;
  Response response_;
};

}  // namespace kappa::serve
