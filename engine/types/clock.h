#pragma once

#include <atomic>

#include "engine/types/time.h"

namespace kappa {

// The only way to read the wall clock. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual LogTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  LogTime now() const override;
};

// A clock that a test or a scenario moves by hand.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(LogTime start = LogTime{0}) : ms_(start.ms) {}
  LogTime now() const override { return LogTime{ms_.load(std::memory_order_relaxed)}; }
  void set(LogTime time) { ms_.store(time.ms, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> ms_;
};

}  // namespace kappa
