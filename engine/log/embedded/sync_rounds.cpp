#include "engine/log/embedded/sync_rounds.h"

namespace kappa::log {

absl::Status SyncRounds::join() {
  std::unique_lock lock(mutex_);
  // A round under way may have passed over what the caller has appended.
  const uint64_t awaited = rounds_ended_ + (running_ ? 2 : 1);
  while (rounds_ended_ < awaited) {
    if (running_) {
      ended_.wait(lock);
      continue;
    }
    running_ = true;
    lock.unlock();
    absl::Status result = round_();
    lock.lock();
    running_ = false;
    ++rounds_ended_;
    last_result_ = std::move(result);
    ended_.notify_all();
  }
  return last_result_;
}

}  // namespace kappa::log
