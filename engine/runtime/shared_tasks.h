#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kappa::runtime {

// Tasks that workers take as they get free: first those that are theirs, whose data their core has,
// then what others have not begun. So whoever has less to do elsewhere does more of them.
class SharedTasks {
 public:
  explicit SharedTasks(size_t workers) : queues_(workers) {}

  // Nothing can be taken until open(). While no worker is in run().
  void close() { open_.store(false, std::memory_order_relaxed); }
  // Worker w's tasks are numbered from 0 to tasks_of(w) - 1.
  template <typename TasksOf>
  void open(TasksOf&& tasks_of) {
    for (size_t w = 0; w < queues_.size(); ++w) {
      queues_[w].next.store(0, std::memory_order_relaxed);
      queues_[w].tasks = static_cast<uint32_t>(tasks_of(w));
    }
    open_.store(true, std::memory_order_release);
    open_.notify_all();
  }
  // Calls task(owner, number) until none is left. Waits for open().
  template <typename Task>
  void run(size_t worker, Task&& task) {
    // It is opened within microseconds as a rule.
    constexpr int kSpins = 4000;
    for (int i = 0; i < kSpins && !open_.load(std::memory_order_acquire); ++i) {
      __builtin_ia32_pause();
    }
    open_.wait(false, std::memory_order_acquire);
    for (size_t w = 0; w < queues_.size(); ++w) {
      const size_t owner = (worker + w) % queues_.size();
      Queue& queue = queues_[owner];
      for (uint32_t n = queue.next.fetch_add(1); n < queue.tasks; n = queue.next.fetch_add(1)) {
        task(owner, size_t{n});
      }
    }
  }

 private:
  struct alignas(64) Queue {
    std::atomic<uint32_t> next{0};
    uint32_t tasks = 0;
  };
  std::vector<Queue> queues_;
  std::atomic<bool> open_{false};
};

}  // namespace kappa::runtime
