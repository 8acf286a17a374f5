#pragma once

#include "engine/serve/backend.h"

namespace grpc {
class CallbackServerContext;
template <typename Response>
class ServerWriteReactor;
}  // namespace grpc

namespace kappa::v1 {
class ReadTopicRequest;
class ReadTopicResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// Sends records of a topic as fast as the caller takes them, and those that come if it follows.
grpc::ServerWriteReactor<v1::ReadTopicResponse>* start_topic_stream(
    const Backend& backend, grpc::CallbackServerContext* context,
    const v1::ReadTopicRequest* request);

}  // namespace kappa::serve
