#include "engine/log/record_batch.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/log/byte_order.h"
#include "engine/types/crc32c.h"
#include "engine/types/status_macros.h"

namespace kappa::log {
namespace {

constexpr size_t kMagicAt = 16;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;

constexpr int16_t kCompressionMask = 0x07;
constexpr int16_t kLogAppendTimeBit = 0x08;
constexpr int16_t kControlBit = 0x20;

// length, attributes, timestamp delta, offset delta, key length, value length, header count.
constexpr size_t kRecordBytesMin = 7;

// Reads a zigzag varint; nullptr if it does not end before `end` or within 64 bits.
const char* read_varint_slowly(const char* at, const char* end, int64_t* value) {
  uint64_t bits = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
      return at;
    }
  }
  return nullptr;
}

// Nearly all varints of a record have one or two bytes.
inline const char* read_varint(const char* at, const char* end, int64_t* value) {
  if (end - at < 2) [[unlikely]]
    return read_varint_slowly(at, end, value);
  const auto first = static_cast<uint8_t>(at[0]);
  if (first < 0x80) {
    *value = static_cast<int64_t>(first >> 1) ^ -static_cast<int64_t>(first & 1);
    return at + 1;
  }
  const auto second = static_cast<uint8_t>(at[1]);
  if (second < 0x80) {
    const uint32_t bits = (first & 0x7fu) | (static_cast<uint32_t>(second) << 7);
    *value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
    return at + 2;
  }
  return read_varint_slowly(at, end, value);
}

// Reads a length and skips as many bytes. A null has length -1 and leaves `bytes` at nullptr.
inline const char* read_bytes(const char* at, const char* end, const char** bytes, uint32_t* size) {
  int64_t length = 0;
  at = read_varint(at, end, &length);
  if (at == nullptr) return nullptr;
  if (length < 0) return length == -1 ? at : nullptr;
  if (length > end - at) return nullptr;
  *bytes = at;
  *size = static_cast<uint32_t>(length);
  return at + length;
}

// True if [at, end) is exactly a count and as many headers. A header's key is never null.
bool are_headers(const char* at, const char* end) {
  int64_t count = 0;
  at = read_varint(at, end, &count);
  if (at == nullptr || count < 0) return false;
  for (int64_t i = 0; i < count; ++i) {
    const char* bytes = nullptr;
    uint32_t size = 0;
    at = read_bytes(at, end, &bytes, &size);
    if (at == nullptr || bytes == nullptr) return false;
    at = read_bytes(at, end, &bytes, &size);
    if (at == nullptr) return false;
  }
  return at == end;
}

struct RecordFrame {
  int64_t timestamp_delta = 0;
  int64_t offset_delta = 0;
};

// Reads one record of [at, end) into `record`, all but offset and timestamp. nullptr: malformed.
inline const char* read_record(const char* at, const char* end, RecordView* record,
                               RecordFrame* frame) {
  int64_t length = 0;
  at = read_varint(at, end, &length);
  if (at == nullptr || length < 1 || length > end - at) return nullptr;
  const char* const record_end = at + length;
  ++at;  // attributes: unused by the format
  if ((at = read_varint(at, record_end, &frame->timestamp_delta)) == nullptr) return nullptr;
  if ((at = read_varint(at, record_end, &frame->offset_delta)) == nullptr) return nullptr;
  if ((at = read_bytes(at, record_end, &record->key, &record->key_size)) == nullptr) return nullptr;
  if ((at = read_bytes(at, record_end, &record->value, &record->value_size)) == nullptr) {
    return nullptr;
  }
  if (record_end - at == 1 && *at == 0) return record_end;  // no headers
  if (!are_headers(at, record_end)) return nullptr;
  record->headers = at;
  record->headers_size = static_cast<uint32_t>(record_end - at);
  return record_end;
}

absl::Status malformed_records(const BatchHeader& header, int32_t index) {
  return absl::DataLossError(absl::StrCat("the batch at offset ", header.base_offset.value,
                                          " is malformed at its record ", index, " of ",
                                          header.record_count));
}

absl::Status decode_records(const char* at, const char* end, const BatchHeader& header, Offset from,
                            std::vector<RecordView>* records) {
  const bool append_time = (header.attributes & kLogAppendTimeBit) != 0;
  int64_t last_delta = -1;
  for (int32_t i = 0; i < header.record_count; ++i) {
    RecordView& record = records->emplace_back();  // filled where it stays: a copy costs as much
    RecordFrame frame;
    at = read_record(at, end, &record, &frame);
    if (at == nullptr || frame.offset_delta <= last_delta ||
        frame.offset_delta > header.last_offset_delta) {
      return malformed_records(header, i);
    }
    last_delta = frame.offset_delta;
    record.offset = Offset{header.base_offset.value + frame.offset_delta};
    if (append_time) {
      record.timestamp = header.max_timestamp;
    } else if (__builtin_add_overflow(header.base_timestamp.ms, frame.timestamp_delta,
                                      &record.timestamp.ms)) {
      return malformed_records(header, i);
    }
    if (record.offset < from) records->pop_back();
  }
  return at == end ? absl::OkStatus() : malformed_records(header, header.record_count);
}

}  // namespace

absl::StatusOr<BatchHeader> parse_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) {
    return absl::OutOfRangeError(
        absl::StrCat("a batch header has ", kBatchHeaderBytes, " bytes, found ", bytes.size()));
  }
  const char* const at = bytes.data();
  const int8_t magic = load_big_endian<int8_t>(at + kMagicAt);
  if (magic != 2) {
    return absl::DataLossError(
        absl::StrCat("found magic ", magic, " where a record batch has magic 2"));
  }
  BatchHeader header;
  header.base_offset = Offset{load_big_endian<int64_t>(at)};
  const auto length = load_big_endian<int32_t>(at + 8);
  header.crc = load_big_endian<uint32_t>(at + kCrcAt);
  header.attributes = load_big_endian<int16_t>(at + kAttributesAt);
  header.last_offset_delta = load_big_endian<int32_t>(at + 23);
  header.base_timestamp = LogTime{load_big_endian<int64_t>(at + 27)};
  header.max_timestamp = LogTime{load_big_endian<int64_t>(at + 35)};
  header.record_count = load_big_endian<int32_t>(at + 57);
  constexpr int64_t kOffsetMax = std::numeric_limits<int64_t>::max() - (int64_t{1} << 32);
  if (header.base_offset.value < 0 || header.base_offset.value > kOffsetMax) {
    return absl::DataLossError(
        absl::StrCat("found ", header.base_offset.value, " where a batch has its base offset"));
  }
  if (length < static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes)) {
    return absl::DataLossError(absl::StrCat("the batch at offset ", header.base_offset.value,
                                            " has an impossible length, ", length));
  }
  header.size_bytes = kBatchPrefixBytes + static_cast<size_t>(length);
  const auto count_max = static_cast<int64_t>(header.size_bytes - kBatchHeaderBytes);
  if (header.record_count < 0 || header.last_offset_delta < 0 || header.record_count > count_max) {
    return absl::DataLossError(
        absl::StrCat("the batch at offset ", header.base_offset.value, " of ", header.size_bytes,
                     " bytes has an impossible count of records, ", header.record_count,
                     ", or last offset delta, ", header.last_offset_delta));
  }
  return header;
}

absl::Status check_batch_crc(std::string_view batch, const BatchHeader& header) {
  const uint32_t crc = crc32c(batch.data() + kAttributesAt, batch.size() - kAttributesAt);
  if (crc == header.crc) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("the batch at offset %d has the crc32c 0x%08x where its header says 0x%08x",
                      header.base_offset.value, crc, header.crc));
}

absl::Status decode_batch(std::string_view batch, const BatchHeader& header, Offset from,
                          std::vector<RecordView>* records) {
  KAPPA_RETURN_IF_ERROR(check_batch_crc(batch, header));
  if ((header.attributes & kControlBit) != 0) return absl::OkStatus();
  if ((header.attributes & kCompressionMask) != 0) {
    return absl::UnimplementedError(
        absl::StrCat("the batch at offset ", header.base_offset.value, " is compressed (codec ",
                     header.attributes & kCompressionMask, "); only plain batches are read"));
  }
  const size_t before = records->size();
  const auto count_max = (batch.size() - kBatchHeaderBytes) / kRecordBytesMin;
  const size_t wanted = before + std::min(static_cast<size_t>(header.record_count), count_max);
  if (wanted > records->capacity()) records->reserve(std::max(wanted, 2 * records->capacity()));
  absl::Status status = decode_records(batch.data() + kBatchHeaderBytes,
                                       batch.data() + batch.size(), header, from, records);
  if (!status.ok()) records->resize(before);
  return status;
}

absl::StatusOr<size_t> decode_batches(std::string_view bytes, Offset from,
                                      std::vector<RecordView>* records) {
  size_t done = 0;
  while (bytes.size() - done >= kBatchHeaderBytes) {
    const std::string_view rest = bytes.substr(done);
    KAPPA_ASSIGN_OR_RETURN(const BatchHeader header, parse_batch_header(rest));
    if (header.size_bytes > rest.size()) break;
    if (header.next_offset() > from) {
      KAPPA_RETURN_IF_ERROR(decode_batch(rest.substr(0, header.size_bytes), header, from, records));
    }
    done += header.size_bytes;
  }
  return done;
}

}  // namespace kappa::log
