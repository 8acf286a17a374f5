#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kappa::serve {

// A few threads for work that would hold up gRPC's. Thread-safe.
class WorkerPool {
 public:
  WorkerPool(size_t threads, size_t waiting_max);
  // Runs what is waiting, then ends the threads.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False: too much is waiting already; the task was not taken.
  bool try_submit(std::function<void()> task);
  // For tasks whose number is bounded elsewhere.
  void submit(std::function<void()> task);

 private:
  void run();

  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kappa::serve
