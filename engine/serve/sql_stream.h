#pragma once

#include "engine/serve/backend.h"

namespace grpc {
class CallbackServerContext;
template <typename Response>
class ServerWriteReactor;
}  // namespace grpc

namespace kappa::v1 {
class SqlRequest;
class SqlResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// Answers a SELECT: it runs on a query thread, its rows are sent as fast as the caller takes them.
grpc::ServerWriteReactor<v1::SqlResponse>* start_sql(const Backend& backend,
                                                     grpc::CallbackServerContext* context,
                                                     const v1::SqlRequest* request);

}  // namespace kappa::serve
