#include "engine/types/header_writer.h"

namespace kappa {
namespace {

void write_varint(int64_t value, std::string* out) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    out->push_back(static_cast<char>((bits & 0x7f) | 0x80));
    bits >>= 7;
  }
  out->push_back(static_cast<char>(bits));
}

}  // namespace

HeaderWriter::HeaderWriter(size_t headers) {
  write_varint(static_cast<int64_t>(headers), &out_);
}

void HeaderWriter::add(std::string_view name, std::optional<std::string_view> value) {
  constexpr int64_t kNull = -1;
  write_varint(static_cast<int64_t>(name.size()), &out_);
  out_ += name;
  write_varint(value ? static_cast<int64_t>(value->size()) : kNull, &out_);
  if (value) out_ += *value;
}

}  // namespace kappa
