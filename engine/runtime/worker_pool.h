#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace kappa::runtime {

// The workers of a pipeline, in lockstep: run() lets each do its part of a step and returns when
// all have. Worker 0 is the caller's thread, so a pipeline of one worker has no other. Between
// steps the other workers rest, and the caller may touch what is theirs. No worker has a core of
// its own, but one that finds itself on another one's moves to a free one.
class WorkerPool {
 public:
  explicit WorkerPool(uint32_t workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  uint32_t workers() const { return static_cast<uint32_t>(threads_.size()) + 1; }
  // Calls step(worker) once for each. With `together` on their threads at the same time; without,
  // one after the other on the caller's, which is quicker for little work.
  void run(const std::function<void(uint32_t)>& step, bool together);

 private:
  void work(uint32_t worker);
  void keep_apart(uint32_t worker);

  std::vector<std::thread> threads_;
  // By worker: on which core it began its last step.
  static constexpr int kNoCore = -1;
  std::vector<std::atomic<int>> cores_;
  const std::function<void(uint32_t)>* step_ = nullptr;
  std::atomic<uint32_t> turn_{0};     // counts steps; workers wait for the next
  std::atomic<uint32_t> pending_{0};  // workers that are not done with the step
  std::atomic<bool> stop_{false};
};

}  // namespace kappa::runtime
