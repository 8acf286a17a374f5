#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::state {

// An event as checkpoints store it.
struct StoredEvent {
  uint32_t key_group = 0;
  int64_t time_us = 0;
  std::string_view body;  // whose bytes mean what the operator says
};

// Packs stored events into blobs, one behind the other:
//
//   key group u8, below 128 | time, zigzag varint, less that of the event before it in the blob or
//   0 | body bytes varint | body
//
// so that events that come in the order of time, as most do, cost three bytes beyond their body.
class StoredEventWriter {
 public:
  static constexpr size_t kBlobBytes = 32u << 10;

  // Room for a body of at most so many bytes; `finish` with where it ended is to follow.
  char* begin(uint32_t key_group, int64_t time_us, size_t body_bytes_max);
  void finish(const char* body_end);
  void add(const StoredEvent& event);

  // Bytes packed and not taken.
  size_t bytes() const { return full_bytes_ + used_; }
  // What was packed since the last call, in blobs of about kBlobBytes.
  std::vector<std::string> take();

 private:
  void close_blob();

  std::vector<std::string> full_;
  size_t full_bytes_ = 0;
  // The blob that is being filled. Its memory is used again and again, and so stays in the cache.
  std::vector<char> open_;
  size_t used_ = 0;
  size_t body_ = 0;  // where the body of the event that is being written begins
  int64_t time_before_us_ = 0;
};

// Reads the events of a blob, first to last.
class StoredEventReader {
 public:
  explicit StoredEventReader(std::string_view blob) : rest_(blob) {}
  bool at_end() const { return rest_.empty(); }
  // False: what follows is no event. The body points into the blob.
  bool next(StoredEvent* event);

 private:
  std::string_view rest_;
  int64_t time_before_us_ = 0;
};

}  // namespace kappa::state
