#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <utility>

namespace kappa::replay {

// Records a second, over the last seconds. One thread.
class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // So many records are applied in all; the count falls only where it begins anew.
  void note(Time now, uint64_t records);
  double records_per_second() const;

 private:
  std::deque<std::pair<Time, uint64_t>> seen_;
};

}  // namespace kappa::replay
