#pragma once

#include "engine/serve/unary_call.h"

namespace kappa::v1 {
class ScanRequest;
class ScanResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// Begins to answer a page of a scan: a later page at once, the first one on a query thread. An
// error: `call` is not answered, and has to be ended with it.
absl::Status start_scan(const Backend& backend, const UnaryCall::Ref& call,
                        const grpc::ServerContextBase& context, const v1::ScanRequest& request,
                        v1::ScanResponse* response);

}  // namespace kappa::serve
