#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace kappa::log {

// Hands out buffers for blocks and takes them back when their last owner lets go, so that reading
// does not pay for fresh pages. Thread-safe; buffers may outlive it.
class BlockBuffers {
 public:
  BlockBuffers() : pool_(std::make_shared<Pool>()) {}
  std::shared_ptr<char[]> take(size_t bytes);

 private:
  struct Buffer {
    std::unique_ptr<char[]> bytes;
    size_t capacity = 0;
  };
  struct Pool {
    std::mutex mutex;
    std::vector<Buffer> free;
  };
  std::shared_ptr<Pool> pool_;
};

}  // namespace kappa::log
