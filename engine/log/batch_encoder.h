#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/log/log.h"

namespace kappa::log {

// A batch is closed once it has this many bytes: small enough to stay in a core's cache between the
// check of its crc and its decoding. A larger record makes a batch of its own.
inline constexpr size_t kBatchBytesMax = 128u << 10;
// The most that the key, value and headers of one record may take together.
inline constexpr size_t kRecordBytesMax = 64u << 20;

// Writes records as Kafka's record batches, format v2, uncompressed, one after the other in memory.
// Reused: its buffer keeps its memory. One thread.
//
// A batch, all integers big-endian:
//
//    0 baseOffset            i64   set last, by set_base_offset(): the crc does not cover it
//    8 batchLength           i32   bytes behind this field
//   12 partitionLeaderEpoch  i32   0
//   16 magic                 i8    2
//   17 crc                   u32   crc32c of all bytes behind this field
//   21 attributes            i16   0: no compression, timestamps by the creator
//   23 lastOffsetDelta       i32   count - 1
//   27 baseTimestamp         i64   of the first record, milliseconds
//   35 maxTimestamp          i64
//   43 producerId            i64   -1
//   51 producerEpoch         i16   -1
//   53 baseSequence          i32   -1
//   57 count                 i32
//   61 records
//
// A record; "varint" is zigzag, base 128, least significant group first:
//
//   varint length of what follows | i8 attributes 0 | varint timestamp - baseTimestamp |
//   varint offset - baseOffset | varint key length, -1: null | key | varint value length, -1: null
//   | value | varint header count | per header: varint key length, key, varint value length, value
class BatchEncoder {
 public:
  struct BatchSpan {
    size_t position = 0;  // in bytes()
    size_t size_bytes = 0;
    int32_t record_count = 0;
    LogTime max_timestamp;
  };

  void clear();
  // The record must fit kRecordBytesMax; `timestamp` stands in for one that it does not have.
  void add(const RecordToAppend& record, LogTime timestamp);
  // Closes the last batch. Call before what follows.
  void finish();
  // Gives the first record its offset, and the others theirs.
  void set_base_offset(Offset first);

  std::string_view bytes() const { return {buffer_.get(), size_}; }
  std::span<const BatchSpan> batches() const { return batches_; }
  int64_t record_count() const { return record_count_; }
  // Returns memory beyond `bytes_max` to the allocator.
  void shrink(size_t bytes_max);

 private:
  char* grow(size_t bytes);
  void open_batch(LogTime timestamp);
  void close_batch();

  std::unique_ptr<char[]> buffer_;
  size_t size_ = 0;
  size_t capacity_ = 0;
  std::vector<BatchSpan> batches_;
  int64_t record_count_ = 0;
  bool open_ = false;
  LogTime base_timestamp_;
};

// Bytes that the key, value and headers of a record take, for comparison with kRecordBytesMax.
size_t payload_bytes(const RecordToAppend& record);

}  // namespace kappa::log
