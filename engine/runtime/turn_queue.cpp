#include "engine/runtime/turn_queue.h"

namespace kappa::runtime {

bool TurnQueue::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    tasks_.push_back(std::move(task));
    has_tasks_.store(true, std::memory_order_release);
  }
  wake();
  return true;
}

void TurnQueue::wake() {
  woken_.store(true);
  // Both sides write one flag and read the other's, so one of them sees the other.
  if (!asleep_.load()) return;
  const std::lock_guard lock(mutex_);
  wakeup_.notify_one();
}

void TurnQueue::run_tasks() {
  if (!has_tasks_.load(std::memory_order_acquire)) return;
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
    has_tasks_.store(false, std::memory_order_release);
  }
  for (const auto& task : tasks) task();
}

void TurnQueue::sleep(std::chrono::microseconds timeout) {
  std::unique_lock lock(mutex_);
  asleep_.store(true);
  wakeup_.wait_for(lock, timeout, [&] { return woken_.load() || !tasks_.empty(); });
  asleep_.store(false);
  woken_.store(false);
}

void TurnQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  run_tasks();
}

void TurnQueue::open() {
  const std::lock_guard lock(mutex_);
  closed_ = false;
}

}  // namespace kappa::runtime
