#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/log/block_buffers.h"
#include "engine/types/record.h"

struct rd_kafka_message_s;

namespace kappa::log {

// Copies messages, which librdkafka frees once it has shown them, into a RecordBlock: one buffer,
// in which each record's value, key and headers follow each other and kRecordPadding bytes follow
// the last. Reused: what it learned of one block's size serves the next. One thread.
class MessageBlock {
 public:
  // Begins a block of about `bytes_max`.
  void begin(size_t bytes_max);
  // The message is one with an offset above those before it.
  void add(const rd_kafka_message_s& message);
  bool empty() const { return records_.empty(); }
  bool full() const { return size_ >= bytes_max_; }
  size_t size_bytes() const { return size_; }
  // The block; next_offset is `next`.
  RecordBlock take(Offset next);

 private:
  char* room_for(size_t bytes);
  void grow(size_t bytes);
  const char* put(const void* bytes, size_t size);
  void put_headers(const rd_kafka_message_s& message, RecordView* record);

  BlockBuffers buffers_;
  std::shared_ptr<char[]> buffer_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t bytes_max_ = 0;
  std::vector<RecordView> records_;
  size_t records_expected_ = 0;
};

}  // namespace kappa::log
