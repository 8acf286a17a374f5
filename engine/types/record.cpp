#include "engine/types/record.h"

#include "engine/types/header_writer.h"

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

// Reads a length and as many bytes; a length below zero stands for null.
bool read_bytes(const char*& at, const char* end, std::optional<std::string_view>* bytes) {
  int64_t size = 0;
  if (!read_varint(at, end, &size)) return false;
  bytes->reset();
  if (size < 0) return true;
  if (size > end - at) return false;
  *bytes = std::string_view(at, static_cast<size_t>(size));
  at += size;
  return true;
}

}  // namespace

HeaderReader::HeaderReader(const RecordView& record)
    : at_(record.headers), end_(record.headers + record.headers_size) {
  if (at_ != nullptr && !read_varint(at_, end_, &left_)) left_ = 0;
}

bool HeaderReader::next(std::string_view* name, std::optional<std::string_view>* value) {
  std::optional<std::string_view> key;
  if (left_ <= 0 || !read_bytes(at_, end_, &key) || !read_bytes(at_, end_, value)) {
    left_ = 0;
    return false;
  }
  --left_;
  *name = key.value_or(std::string_view());
  return true;
}

RecordHeaders parse_headers(const RecordView& record) {
  RecordHeaders headers;
  HeaderReader reader(record);
  std::string_view name;
  std::optional<std::string_view> value;
  while (reader.next(&name, &value)) headers.emplace_back(name, value.value_or(std::string_view()));
  return headers;
}

std::string encode_headers(const RecordHeaders& headers) {
  HeaderWriter writer(headers.size());
  for (const auto& [name, value] : headers) writer.add(name, value);
  return writer.take();
}

}  // namespace kappa
