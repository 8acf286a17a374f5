#pragma once

#include <chrono>
#include <cstddef>

#include "engine/runtime/pipeline.h"

namespace kappa::runtime {

// Keeps a follower within its pace: after each turn it says when the next may begin. One thread.
class Pacer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void set(const Pace& pace) {
    pace_ = pace;
    next_ = {};
  }
  bool may_go(Time now) const { return !pace_.paused && now >= next_; }
  // How long to wait, at most `longest`.
  std::chrono::microseconds wait(Time now, std::chrono::microseconds longest) const;
  // Records of a turn, at most: few if few are allowed a second, so that they come evenly.
  size_t turn_records_max(size_t otherwise) const;
  // A turn of so many records has begun and ended then, on so many threads.
  void note_turn(size_t records, Time begun, Time ended, size_t workers);

 private:
  Pace pace_;
  Time next_;
};

}  // namespace kappa::runtime
