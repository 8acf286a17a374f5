#include "engine/serve/sync_group.h"

#include <utility>

namespace kappa::serve {

SyncGroup::SyncGroup(log::Log* log) : log_(log), thread_([this] { run(); }) {}

SyncGroup::~SyncGroup() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SyncGroup::after_sync(std::function<void(const absl::Status&)> done) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
  }
  wake_.notify_one();
}

void SyncGroup::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto served = std::exchange(waiting_, {});
    lock.unlock();
    const absl::Status status = log_->sync();
    for (const auto& done : served) done(status);
    lock.lock();
  }
}

}  // namespace kappa::serve
