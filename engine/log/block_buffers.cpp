#include "engine/log/block_buffers.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace kappa::log {
namespace {

constexpr size_t kBuffersKeptMax = 8;
constexpr size_t kBufferBytesMin = 4096;
// A buffer this many times too large is left for a block that needs it.
constexpr size_t kWasteMax = 8;

}  // namespace

std::shared_ptr<char[]> BlockBuffers::take(size_t bytes) {
  Buffer buffer;
  {
    const std::lock_guard lock(pool_->mutex);
    const auto fits =
        std::find_if(pool_->free.rbegin(), pool_->free.rend(), [&](const Buffer& candidate) {
          return candidate.capacity >= bytes && candidate.capacity / kWasteMax <= bytes;
        });
    if (fits != pool_->free.rend()) {
      buffer = std::move(*fits);
      pool_->free.erase(std::next(fits).base());
    }
  }
  if (buffer.bytes == nullptr) {
    buffer.capacity = std::bit_ceil(std::max(bytes, kBufferBytesMin));
    buffer.bytes = std::make_unique_for_overwrite<char[]>(buffer.capacity);
  }
  const size_t capacity = buffer.capacity;
  return {buffer.bytes.release(), [pool = pool_, capacity](char* returned) {
            Buffer back{.bytes = std::unique_ptr<char[]>(returned), .capacity = capacity};
            const std::lock_guard lock(pool->mutex);
            if (pool->free.size() < kBuffersKeptMax) {
              pool->free.push_back(std::move(back));
            } else {
              std::swap(pool->free.front(), back);  // the sizes asked for may have changed
            }
          }};
}

}  // namespace kappa::log
