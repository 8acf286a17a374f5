#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kappa::runtime {

// Numbered tasks that workers take as they get free, so that whoever has less to do elsewhere does
// more of them.
class SharedTasks {
 public:
  // Nothing can be taken until open(). While no worker is in run().
  void close() {
    next_.store(0, std::memory_order_relaxed);
    tasks_.store(kClosed, std::memory_order_relaxed);
  }
  // Tasks 0 to `tasks` - 1 can be taken.
  void open(size_t tasks) {
    tasks_.store(static_cast<uint32_t>(tasks), std::memory_order_release);
    tasks_.notify_all();
  }
  // Calls task(number) until none is left. Waits for open().
  template <typename Task>
  void run(Task&& task) {
    // It is opened within microseconds as a rule.
    constexpr int kSpins = 4000;
    for (int i = 0; i < kSpins && tasks_.load(std::memory_order_acquire) == kClosed; ++i) {
      __builtin_ia32_pause();
    }
    tasks_.wait(kClosed, std::memory_order_acquire);
    const uint32_t tasks = tasks_.load(std::memory_order_acquire);
    for (uint32_t n = next_.fetch_add(1); n < tasks; n = next_.fetch_add(1)) task(size_t{n});
  }

 private:
  static constexpr uint32_t kClosed = ~uint32_t{0};
  std::atomic<uint32_t> tasks_{kClosed};
  std::atomic<uint32_t> next_{0};
};

}  // namespace kappa::runtime
