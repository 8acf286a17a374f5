#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace kappa::runtime {

// What other threads want done between two epochs, and what wakes a pipeline that has nothing to
// do.
class TurnQueue {
 public:
  // Any thread. Tasks run in order, on the pipeline's thread, between epochs. False: closed.
  bool post(std::function<void()> task);
  // Any thread; cheap while the pipeline is awake.
  void wake();

  // Pipeline's thread: runs what is posted.
  void run_tasks();
  // Sleeps until there is a task, a wake() since the last sleep(), or `timeout` has passed.
  void sleep(std::chrono::microseconds timeout);
  // Takes no more tasks; runs those it has.
  void close();
  void open();

 private:
  std::mutex mutex_;
  std::condition_variable wakeup_;
  std::vector<std::function<void()>> tasks_;
  std::atomic<bool> has_tasks_{false};
  std::atomic<bool> woken_{false};
  std::atomic<bool> asleep_{false};
  bool closed_ = true;
};

}  // namespace kappa::runtime
