#include "engine/types/arena.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kappa {
namespace {

constexpr size_t kFirstChunkBytes = 16u << 10;
constexpr size_t kLargestChunkBytes = 1u << 20;

}  // namespace

Arena::Arena(Arena&& other) noexcept
    : chunks_(std::move(other.chunks_)),
      next_(std::exchange(other.next_, nullptr)),
      left_(std::exchange(other.left_, 0)),
      reserved_(std::exchange(other.reserved_, 0)) {
  other.chunks_.clear();
}

Arena& Arena::operator=(Arena&& other) noexcept {
  if (this == &other) return *this;
  chunks_ = std::move(other.chunks_);
  other.chunks_.clear();
  next_ = std::exchange(other.next_, nullptr);
  left_ = std::exchange(other.left_, 0);
  reserved_ = std::exchange(other.reserved_, 0);
  return *this;
}

char* Arena::add_chunk(size_t size) {
  // Not make_unique: it would zero what is about to be overwritten.
  chunks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
  reserved_ += size;
  return chunks_.back().bytes.get();
}

char* Arena::allocate_slow(size_t rounded) {
  const size_t grown = chunks_.empty() ? kFirstChunkBytes : chunks_.back().size * 2;
  const size_t chunk_bytes = std::clamp(grown, kFirstChunkBytes, kLargestChunkBytes);
  // A large value gets a chunk of its own, so that it does not waste the rest of the current one.
  if (rounded > chunk_bytes / 4 && !chunks_.empty()) return add_chunk(rounded);
  const size_t size = std::max(chunk_bytes, rounded);
  char* bytes = add_chunk(size);
  next_ = bytes + rounded;
  left_ = size - rounded;
  return bytes;
}

StringRef Arena::copy(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* to = allocate(bytes.size());
  std::memcpy(to, bytes.data(), bytes.size());
  return {to, static_cast<uint32_t>(bytes.size())};
}

void Arena::reset() {
  if (chunks_.empty()) return;
  chunks_.erase(chunks_.begin() + 1, chunks_.end());
  next_ = chunks_.front().bytes.get();
  left_ = chunks_.front().size;
  reserved_ = left_;
}

}  // namespace kappa
