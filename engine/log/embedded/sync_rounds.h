#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "absl/status/status.h"

namespace kappa::log {

// Group commit: callers that arrive while a round of syncing is under way share the next one.
class SyncRounds {
 public:
  // `round` is never run by two callers at once.
  explicit SyncRounds(std::function<absl::Status()> round) : round_(std::move(round)) {}

  // Returns once a round that began after this call has ended, with its result.
  absl::Status join();

 private:
  const std::function<absl::Status()> round_;
  std::mutex mutex_;
  std::condition_variable ended_;
  uint64_t rounds_ended_ = 0;
  bool running_ = false;
  absl::Status last_result_;
};

}  // namespace kappa::log
