#pragma once

#include "engine/serve/client.h"

namespace kappa::v1 {
class InspectResponse;
}

namespace kappa::serve {

ServerInfo from_wire(const v1::InspectResponse& wire);

}  // namespace kappa::serve
