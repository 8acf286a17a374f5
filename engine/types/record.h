#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/types/time.h"

namespace kappa {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

// A record's number in its partition. Not contiguous: a next offset is a lower bound.
struct Offset {
  int64_t value = 0;
  auto operator<=>(const Offset&) const = default;
};

using RecordHeaders = std::vector<std::pair<std::string, std::string>>;

// A record decoded in place: it points into the block that holds it. At least kRecordPadding
// readable bytes follow the value (parsers read ahead).
struct RecordView {
  Offset offset;
  LogTime timestamp;
  const char* key = nullptr;      // nullptr: null key
  const char* value = nullptr;    // nullptr: null payload (a tombstone)
  const char* headers = nullptr;  // as Kafka's record format v2 writes them; see parse_headers()
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t headers_size = 0;

  std::optional<std::string_view> key_view() const {
    return key ? std::optional(std::string_view(key, key_size)) : std::nullopt;
  }
  std::optional<std::string_view> value_view() const {
    return value ? std::optional(std::string_view(value, value_size)) : std::nullopt;
  }
};

inline constexpr size_t kRecordPadding = 64;

// Walks a record's headers in place: zigzag varint count, then key and value as varint length and
// bytes, each. Bytes that end early yield the headers before the damage: the block's crc vouches
// for them.
class HeaderReader {
 public:
  explicit HeaderReader(const RecordView& record);

  // Goes on to the next header; false at the end. Both point into the record; no value: null.
  bool next(std::string_view* name, std::optional<std::string_view>* value);

 private:
  const char* at_;
  const char* end_;
  int64_t left_ = 0;
};

// The record's headers, copied. A null value reads as empty.
RecordHeaders parse_headers(const RecordView& record);
std::string encode_headers(const RecordHeaders& headers);

// What a reader hands over: records of one partition in offset order and the buffer they lie in.
struct RecordBlock {
  std::shared_ptr<const char[]> buffer;
  std::vector<RecordView> records;
  Offset next_offset;  // where reading goes on; greater than every offset in `records`

  bool empty() const { return records.empty(); }
};

}  // namespace kappa
