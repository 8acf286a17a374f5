#pragma once

#include <chrono>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::runtime {

inline constexpr std::chrono::seconds kLogPatience{30};

// The result of `attempt`, which is called again while the log is Unavailable, for kLogPatience.
// For where nobody has to be served meanwhile: while opening, and by hand. A pipeline that runs
// does not wait like that; it is held (live_loop.cpp).
template <typename Attempt>
auto with_patience(Attempt attempt) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto give_up = std::chrono::steady_clock::now() + kLogPatience;
  while (true) {
    auto result = attempt();
    absl::StatusCode code;
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      code = result.code();
    } else {
      code = result.status().code();
    }
    const bool last = std::chrono::steady_clock::now() >= give_up;
    if (code != absl::StatusCode::kUnavailable || last) return result;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace kappa::runtime
