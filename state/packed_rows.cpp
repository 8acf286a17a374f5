#include "state/packed_rows.h"

#include <cstring>

#include "state/varint.h"

namespace kappa::state {
namespace {

size_t put_header(uint32_t key_group, size_t key_bytes, uint32_t value_mark, char* to) {
  char* at = to;
  *at++ = static_cast<char>(key_group);
  at = put_varint(static_cast<uint32_t>(key_bytes), at);
  at = put_varint(value_mark, at);
  return static_cast<size_t>(at - to);
}

}  // namespace

void append_packed(const PackedRow& row, std::string* out) {
  char header[kPackedHeaderBytesMax];
  const uint32_t mark = row.deleted ? 0 : static_cast<uint32_t>(row.value.size() + 1);
  out->append(header, put_header(row.key_group, row.key.size(), mark, header));
  out->append(row.key);
  if (!row.deleted) out->append(row.value);
}

char* write_packed_header(uint32_t key_group, size_t key_bytes, size_t value_bytes, char* key) {
  char header[kPackedHeaderBytesMax];
  const size_t size =
      put_header(key_group, key_bytes, static_cast<uint32_t>(value_bytes + 1), header);
  std::memcpy(key - size, header, size);
  return key - size;
}

bool take_packed(std::string_view* rest, PackedRow* row) {
  if (rest->empty()) return false;
  row->key_group = static_cast<uint8_t>(rest->front());
  rest->remove_prefix(1);
  uint64_t key_bytes = 0;
  uint64_t mark = 0;
  if (!take_varint(rest, &key_bytes) || !take_varint(rest, &mark)) return false;
  row->deleted = mark == 0;
  const size_t value_bytes = row->deleted ? 0 : mark - 1;
  if (rest->size() < key_bytes || rest->size() - key_bytes < value_bytes) return false;
  row->key = rest->substr(0, key_bytes);
  row->value = rest->substr(key_bytes, value_bytes);
  rest->remove_prefix(key_bytes + value_bytes);
  return true;
}

std::string* PackedTable::blob() {
  if (blobs.empty() || blobs.back().size() >= kBlobBytes) {
    // Room for the row that goes beyond, and for a checksum.
    blobs.emplace_back().reserve(kBlobBytes + kBlobBytes / 4 - 1);
  }
  return &blobs.back();
}

}  // namespace kappa::state
