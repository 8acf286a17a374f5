#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/serve/client.h"

namespace kappa::v1 {
class SubscribeResponse;
}

namespace kappa::serve {

// Reads a message of a stream. `event` and `topic` are kept from one message to the next: they have
// what the last header said.
absl::Status take_event(const v1::SubscribeResponse& wire, std::string* topic, OutputEvent* event);

}  // namespace kappa::serve
