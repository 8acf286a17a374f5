#include "engine/log/kafka/message_block.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <librdkafka/rdkafka.h>

#include "engine/types/header_writer.h"

namespace kappa::log {
namespace {

// Beyond bytes_max, so that the record that reaches it mostly still fits.
constexpr size_t kSlackBytes = 16u << 10;

std::string encode_headers(const rd_kafka_headers_t* headers) {
  HeaderWriter writer(rd_kafka_header_cnt(headers));
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    writer.add(name, value ? std::optional(std::string_view(static_cast<const char*>(value), size))
                           : std::nullopt);
  }
  return writer.take();
}

}  // namespace

void MessageBlock::begin(size_t bytes_max) {
  bytes_max_ = std::max<size_t>(1, bytes_max);
  size_ = 0;
  records_.clear();
}

char* MessageBlock::room_for(size_t bytes) {
  const size_t needed = size_ + bytes + kRecordPadding;
  if (!buffer_ || needed > capacity_) grow(needed);
  return buffer_.get() + size_;
}

// Moves what is there to a larger buffer, and the records that point to it.
void MessageBlock::grow(size_t bytes) {
  const size_t first = std::min<size_t>(bytes_max_, 1u << 20) + kSlackBytes + kRecordPadding;
  const size_t capacity = std::max({bytes, first, buffer_ ? 2 * capacity_ : size_t{0}});
  std::shared_ptr<char[]> larger = buffers_.take(capacity);
  if (size_ > 0) std::memcpy(larger.get(), buffer_.get(), size_);
  const auto moved = [&](const char* at) {
    return at ? larger.get() + (at - buffer_.get()) : nullptr;
  };
  for (RecordView& record : records_) {
    record.key = moved(record.key);
    record.value = moved(record.value);
    record.headers = moved(record.headers);
  }
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

const char* MessageBlock::put(const void* bytes, size_t size) {
  char* const to = buffer_.get() + size_;
  if (size > 0) std::memcpy(to, bytes, size);
  size_ += size;
  return to;
}

void MessageBlock::add(const rd_kafka_message_s& message) {
  room_for(message.len + message.key_len);
  if (records_.empty()) records_.reserve(records_expected_);
  RecordView& record = records_.emplace_back();
  record.offset = Offset{message.offset};
  record.timestamp = LogTime{rd_kafka_message_timestamp(&message, nullptr)};
  if (message.payload) {
    record.value = put(message.payload, message.len);
    record.value_size = static_cast<uint32_t>(message.len);
  }
  if (message.key) {
    record.key = put(message.key, message.key_len);
    record.key_size = static_cast<uint32_t>(message.key_len);
  }
  put_headers(message, &record);
}

void MessageBlock::put_headers(const rd_kafka_message_s& message, RecordView* record) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const std::string encoded = encode_headers(headers);
  room_for(encoded.size());
  // room_for() may have moved the records' bytes, but not the records.
  record->headers = put(encoded.data(), encoded.size());
  record->headers_size = static_cast<uint32_t>(encoded.size());
}

RecordBlock MessageBlock::take(Offset next) {
  RecordBlock block;
  if (!records_.empty()) {
    records_expected_ = records_.size() + records_.size() / 8;
    block.buffer = std::move(buffer_);
    block.records = std::move(records_);
  }
  block.next_offset = next;
  buffer_ = nullptr;
  records_ = {};
  size_ = capacity_ = 0;
  return block;
}

}  // namespace kappa::log
