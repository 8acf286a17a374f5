#pragma once

#include "engine/serve/backend.h"

namespace grpc {
class CallbackServerContext;
template <typename Response>
class ServerWriteReactor;
}  // namespace grpc

namespace kappa::v1 {
class ExportRequest;
class ExportResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// Sends the rows of a view, all as of one epoch, as fast as the caller takes them. It holds one
// batch of them at a time, and a query thread while it reads that.
grpc::ServerWriteReactor<v1::ExportResponse>* start_export(const Backend& backend,
                                                           grpc::CallbackServerContext* context,
                                                           const v1::ExportRequest* request);

}  // namespace kappa::serve
