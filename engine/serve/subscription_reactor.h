#pragma once

#include <functional>

#include "absl/status/status.h"
#include "engine/serve/subscription.h"

namespace grpc {
template <typename Response>
class ServerWriteReactor;
}

namespace kappa::serve {

// Starts a subscription whose messages a service sends as Response: SubscribeResponse or
// StreamAlertsResponse. `convert` fills in the empty response, for one message at a time; its error
// ends the stream.
template <typename Response>
grpc::ServerWriteReactor<Response>* start_subscription(
    const Backend& backend, const grpc::ServerContextBase& context, SubscriptionRequest request,
    std::function<absl::Status(const v1::SubscribeResponse&, Response*)> convert);

}  // namespace kappa::serve
