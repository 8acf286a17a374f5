#pragma once

#include <chrono>
#include <functional>
#include <thread>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace kappa::runtime {

// How a log that does not answer is waited for where nobody has to be served meanwhile: while
// opening, and by hand. A pipeline that runs does not wait like that; it is held (live_loop.cpp).
struct Patience {
  std::chrono::milliseconds longest = std::chrono::seconds(30);
  // Called again and again meanwhile: what the log says, and how long it is waited for by now.
  std::function<void(const absl::Status& trouble, std::chrono::milliseconds waited)> waiting = {};
};

// The result of `attempt`, which is called again while the log is Unavailable, as long as
// `patience` lasts. The last attempt may take longer than that.
template <typename Attempt>
auto with_patience(const Patience& patience, Attempt attempt) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto begun = std::chrono::steady_clock::now();
  while (true) {
    auto result = attempt();
    absl::Status status;
    if constexpr (std::is_same_v<decltype(result), absl::Status>) {
      status = result;
    } else {
      status = result.status();
    }
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begun);
    if (!absl::IsUnavailable(status) || waited >= patience.longest) return result;
    if (patience.waiting) patience.waiting(status, waited);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace kappa::runtime
