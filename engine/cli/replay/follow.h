#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/serve/client.h"

namespace kappa::cli {

// Waits until a generation that replays is ready, looking twice a second and showing its progress
// where standard error is a terminal. `on_look` (may be empty) gets what it is at each look.
// Aborted: it has stopped by itself, or has been cancelled.
absl::StatusOr<serve::GenerationStatus> wait_until_ready(
    serve::Client& client, const std::string& product, uint32_t generation,
    const std::function<void(const serve::GenerationStatus&)>& on_look = {});

// The generation of that number; with 0, the only one that is replaying or ready, or the only one
// that is ready. NotFound; FailedPrecondition: there is none, or there are several.
enum class Meant { kReplayingOrReady, kReady };
absl::StatusOr<serve::GenerationStatus> find_replay(serve::Client& client,
                                                    const std::string& product, uint32_t generation,
                                                    Meant meant = Meant::kReplayingOrReady);

}  // namespace kappa::cli
