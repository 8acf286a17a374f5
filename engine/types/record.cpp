#include "engine/types/record.h"

namespace kappa {
namespace {

// Reads a zigzag varint of at most 64 bits; false if the bytes end inside it.
bool read_varint(const char*& at, const char* end, int64_t* value) {
  uint64_t bits = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      *value = static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
      return true;
    }
  }
  return false;
}

void write_varint(int64_t value, std::string* out) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    out->push_back(static_cast<char>((bits & 0x7f) | 0x80));
    bits >>= 7;
  }
  out->push_back(static_cast<char>(bits));
}

// Reads a length and as many bytes; a null value (length -1) reads as empty.
bool read_bytes(const char*& at, const char* end, std::string* bytes) {
  int64_t size = 0;
  if (!read_varint(at, end, &size)) return false;
  if (size < 0) size = 0;
  if (size > end - at) return false;
  bytes->assign(at, static_cast<size_t>(size));
  at += size;
  return true;
}

}  // namespace

RecordHeaders parse_headers(const RecordView& record) {
  RecordHeaders headers;
  if (record.headers == nullptr) return headers;
  const char* at = record.headers;
  const char* const end = at + record.headers_size;
  int64_t count = 0;
  if (!read_varint(at, end, &count)) return headers;
  for (int64_t i = 0; i < count; ++i) {
    std::string key;
    std::string value;
    if (!read_bytes(at, end, &key) || !read_bytes(at, end, &value)) break;
    headers.emplace_back(std::move(key), std::move(value));
  }
  return headers;
}

std::string encode_headers(const RecordHeaders& headers) {
  std::string out;
  write_varint(static_cast<int64_t>(headers.size()), &out);
  for (const auto& [key, value] : headers) {
    write_varint(static_cast<int64_t>(key.size()), &out);
    out += key;
    write_varint(static_cast<int64_t>(value.size()), &out);
    out += value;
  }
  return out;
}

}  // namespace kappa
