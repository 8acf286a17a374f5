#include "engine/log/batch_encoder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/log/byte_order.h"
#include "engine/log/record_batch.h"
#include "engine/types/crc32c.h"

namespace kappa::log {
namespace {

constexpr size_t kVarintBytesMax = 10;

uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

size_t varint_bytes(int64_t value) {
  return static_cast<size_t>(std::bit_width(zigzag(value) | 1) + 6) / 7;
}

char* write_varint(char* at, int64_t value) {
  uint64_t bits = zigzag(value);
  while (bits >= 0x80) {
    *at++ = static_cast<char>((bits & 0x7f) | 0x80);
    bits >>= 7;
  }
  *at++ = static_cast<char>(bits);
  return at;
}

char* write_bytes(char* at, std::string_view bytes) {
  at = write_varint(at, static_cast<int64_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

char* write_optional(char* at, const std::optional<std::string_view>& bytes) {
  return bytes ? write_bytes(at, *bytes) : write_varint(at, -1);
}

size_t optional_bytes(const std::optional<std::string_view>& bytes) {
  return bytes ? varint_bytes(static_cast<int64_t>(bytes->size())) + bytes->size() : 1;
}

size_t headers_bytes(const RecordHeaders* headers) {
  if (headers == nullptr) return 1;
  size_t bytes = varint_bytes(static_cast<int64_t>(headers->size()));
  for (const auto& [key, value] : *headers) {
    bytes += optional_bytes(key) + optional_bytes(value);
  }
  return bytes;
}

char* write_headers(char* at, const RecordHeaders* headers) {
  if (headers == nullptr) return write_varint(at, 0);
  at = write_varint(at, static_cast<int64_t>(headers->size()));
  for (const auto& [key, value] : *headers) at = write_bytes(write_bytes(at, key), value);
  return at;
}

}  // namespace

size_t payload_bytes(const RecordToAppend& record) {
  return (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0) +
         headers_bytes(record.headers);
}

void BatchEncoder::clear() {
  size_ = 0;
  batches_.clear();
  record_count_ = 0;
  open_ = false;
}

char* BatchEncoder::grow(size_t bytes) {
  if (size_ + bytes > capacity_) {
    capacity_ = std::max(size_ + bytes, std::max<size_t>(4096, capacity_ * 2));
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    if (size_ > 0) std::memcpy(larger.get(), buffer_.get(), size_);
    buffer_ = std::move(larger);
  }
  return buffer_.get() + size_;
}

void BatchEncoder::shrink(size_t bytes_max) {
  if (capacity_ <= bytes_max) return;
  clear();
  buffer_.reset();
  capacity_ = 0;
}

void BatchEncoder::open_batch(LogTime timestamp) {
  grow(kBatchHeaderBytes);
  batches_.push_back(
      {.position = size_, .size_bytes = 0, .record_count = 0, .max_timestamp = timestamp});
  size_ += kBatchHeaderBytes;
  base_timestamp_ = timestamp;
  open_ = true;
}

void BatchEncoder::add(const RecordToAppend& record, LogTime timestamp) {
  if (record.timestamp) timestamp = *record.timestamp;
  if (!open_) open_batch(timestamp);
  BatchSpan& batch = batches_.back();
  batch.max_timestamp = std::max(batch.max_timestamp, timestamp);

  const int64_t timestamp_delta = timestamp.ms - base_timestamp_.ms;
  const int64_t offset_delta = batch.record_count;
  const size_t length = 1 + varint_bytes(timestamp_delta) + varint_bytes(offset_delta) +
                        optional_bytes(record.key) + optional_bytes(record.value) +
                        headers_bytes(record.headers);
  char* const start = grow(kVarintBytesMax + length);
  char* at = write_varint(start, static_cast<int64_t>(length));
  *at++ = 0;  // attributes
  at = write_varint(at, timestamp_delta);
  at = write_varint(at, offset_delta);
  at = write_optional(at, record.key);
  at = write_optional(at, record.value);
  at = write_headers(at, record.headers);
  size_ += static_cast<size_t>(at - start);
  ++batch.record_count;
  ++record_count_;
  if (size_ - batch.position >= kBatchBytesMax) close_batch();
}

void BatchEncoder::close_batch() {
  BatchSpan& batch = batches_.back();
  batch.size_bytes = size_ - batch.position;
  char* const at = buffer_.get() + batch.position;
  store_big_endian<int64_t>(at, 0);
  store_big_endian<int32_t>(at + 8, static_cast<int32_t>(batch.size_bytes - kBatchPrefixBytes));
  store_big_endian<int32_t>(at + 12, 0);
  store_big_endian<int8_t>(at + 16, 2);
  store_big_endian<int16_t>(at + 21, 0);
  store_big_endian<int32_t>(at + 23, batch.record_count - 1);
  store_big_endian<int64_t>(at + 27, base_timestamp_.ms);
  store_big_endian<int64_t>(at + 35, batch.max_timestamp.ms);
  store_big_endian<int64_t>(at + 43, -1);
  store_big_endian<int16_t>(at + 51, -1);
  store_big_endian<int32_t>(at + 53, -1);
  store_big_endian<int32_t>(at + 57, batch.record_count);
  store_big_endian<uint32_t>(at + 17, crc32c(at + 21, batch.size_bytes - 21));
  open_ = false;
}

void BatchEncoder::finish() {
  if (open_) close_batch();
}

void BatchEncoder::set_base_offset(Offset first) {
  for (const BatchSpan& batch : batches_) {
    store_big_endian<int64_t>(buffer_.get() + batch.position, first.value);
    first.value += batch.record_count;
  }
}

}  // namespace kappa::log
