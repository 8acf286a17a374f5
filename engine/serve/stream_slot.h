#pragma once

#include <atomic>
#include <cstddef>

namespace kappa::serve {

// One of the streams that may be open at a time.
class StreamSlot {
 public:
  StreamSlot(std::atomic<size_t>& open, size_t open_max) : open_(open) {
    taken_ = open_.fetch_add(1) < open_max;
    if (!taken_) open_.fetch_sub(1);
  }
  ~StreamSlot() {
    if (taken_) open_.fetch_sub(1);
  }
  StreamSlot(const StreamSlot&) = delete;
  StreamSlot& operator=(const StreamSlot&) = delete;

  // False: too many are open.
  bool taken() const { return taken_; }

 private:
  std::atomic<size_t>& open_;
  bool taken_;
};

}  // namespace kappa::serve
