#include "engine/runtime/worker_pool.h"

namespace kappa::runtime {
namespace {

// Steps follow each other within microseconds under load, so a worker looks for the next one a
// while before it sleeps.
constexpr int kSpins = 2000;

template <typename Done>
void spin_until(Done done) {
  for (int i = 0; i < kSpins && !done(); ++i) __builtin_ia32_pause();
}

}  // namespace

WorkerPool::WorkerPool(uint32_t workers) {
  for (uint32_t worker = 1; worker < workers; ++worker) {
    threads_.emplace_back([this, worker] { work(worker); });
  }
}

WorkerPool::~WorkerPool() {
  stop_.store(true);
  turn_.fetch_add(1);
  turn_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::work(uint32_t worker) {
  uint32_t seen = 0;
  while (true) {
    spin_until([&] { return turn_.load(std::memory_order_acquire) != seen; });
    turn_.wait(seen, std::memory_order_acquire);
    seen = turn_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    (*step_)(worker);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

void WorkerPool::run(const std::function<void(uint32_t)>& step, bool together) {
  if (!together || threads_.empty()) {
    for (uint32_t worker = 0; worker < workers(); ++worker) step(worker);
    return;
  }
  step_ = &step;
  pending_.store(static_cast<uint32_t>(threads_.size()), std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  step(0);
  spin_until([&] { return pending_.load(std::memory_order_acquire) == 0; });
  for (uint32_t left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire)) {
    pending_.wait(left, std::memory_order_acquire);
  }
}

}  // namespace kappa::runtime
