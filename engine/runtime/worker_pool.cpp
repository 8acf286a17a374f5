#include "engine/runtime/worker_pool.h"

#include <algorithm>
#include <chrono>

#include <sched.h>

namespace kappa::runtime {
namespace {

using Clock = std::chrono::steady_clock;

// Under load steps follow each other within tens of microseconds, which is what it takes to wake a
// thread. So one that waits looks for a while before it sleeps: briefly, and longer when the last
// step came soon. Whoever else wants the core has it in the longer part.
constexpr std::chrono::microseconds kBriefLook{30};
constexpr std::chrono::microseconds kLook{200};

template <typename Done>
void spin_until(Done done, Clock::duration longest) {
  constexpr int kSpinsPerGlance = 64;
  const Clock::time_point begin = Clock::now();
  Clock::duration looked{0};
  do {
    if (looked >= kBriefLook) std::this_thread::yield();
    for (int i = 0; i < kSpinsPerGlance; ++i) {
      if (done()) return;
      __builtin_ia32_pause();
    }
    looked = Clock::now() - begin;
  } while (looked < longest);
}

// Moves this thread to another core, from where the kernel may move it on.
void move_to(int core, const cpu_set_t& allowed) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<size_t>(core), &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0) return;
  sched_setaffinity(0, sizeof(allowed), &allowed);
}

}  // namespace

WorkerPool::WorkerPool(uint32_t workers) : cores_(workers) {
  for (std::atomic<int>& core : cores_) core.store(kNoCore);
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
  Clock::duration look = kBriefLook;
  while (true) {
    const Clock::time_point done = Clock::now();
    spin_until([&] { return turn_.load(std::memory_order_acquire) != seen; }, look);
    turn_.wait(seen, std::memory_order_acquire);
    look = Clock::now() - done < kLook ? kLook : kBriefLook;
    seen = turn_.load(std::memory_order_acquire);
    if (stop_.load()) return;
    keep_apart(worker);
    (*step_)(worker);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
  }
}

// Two workers on one core while another is idle are in each other's way at every step, and the
// kernel may leave them there for tens of milliseconds: neither has slept long enough to be worth
// moving. So the one with the higher number moves away, if some core has no worker of this pool.
void WorkerPool::keep_apart(uint32_t worker) {
  const int here = sched_getcpu();
  cores_[worker].store(here, std::memory_order_relaxed);
  const auto begin = cores_.begin();
  const auto has = [](auto from, auto to, int core) {
    return std::any_of(from, to, [core](const std::atomic<int>& other) {
      return other.load(std::memory_order_relaxed) == core;
    });
  };
  if (!has(begin, begin + worker, here)) return;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(static_cast<size_t>(core), &allowed) || has(begin, cores_.end(), core)) continue;
    move_to(core, allowed);
    cores_[worker].store(sched_getcpu(), std::memory_order_relaxed);
    return;
  }
}

void WorkerPool::run(const std::function<void(uint32_t)>& step, bool together) {
  if (!together || threads_.empty()) {
    for (uint32_t worker = 0; worker < workers(); ++worker) step(worker);
    return;
  }
  cores_[0].store(sched_getcpu(), std::memory_order_relaxed);
  step_ = &step;
  pending_.store(static_cast<uint32_t>(threads_.size()), std::memory_order_relaxed);
  turn_.fetch_add(1, std::memory_order_release);
  turn_.notify_all();
  step(0);
  spin_until([&] { return pending_.load(std::memory_order_acquire) == 0; }, kLook);
  for (uint32_t left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire)) {
    pending_.wait(left, std::memory_order_acquire);
  }
}

}  // namespace kappa::runtime
