#pragma once

#include <functional>

#include "absl/status/status.h"
#include "engine/runtime/reads.h"
#include "engine/serve/backend.h"

namespace kappa::v1 {
class InspectRequest;
class InspectResponse;
}  // namespace kappa::v1

namespace kappa::serve {

// What the products are doing. Blocks while their pipelines are asked; `still_wanted` is asked
// between two of them.
absl::Status inspect(const Backend& backend, const v1::InspectRequest& request,
                     runtime::Deadline deadline, const std::function<absl::Status()>& still_wanted,
                     v1::InspectResponse* response);

}  // namespace kappa::serve
