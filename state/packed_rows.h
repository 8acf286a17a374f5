#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kappa::state {

// A changed row in its stored form, as a checkpoint writes it.
struct PackedRow {
  uint32_t key_group = 0;
  std::string_view key;
  std::string_view value;
  bool deleted = false;  // a tombstone: the key is gone
};

// Rows packed one after the other; of two rows with one key the later one holds.
//
//   key group u8 | key bytes varint | value bytes + 1 varint, 0 for a tombstone | key | value
inline constexpr size_t kPackedHeaderBytesMax = 11;

void append_packed(const PackedRow& row, std::string* out);
// Writes the head of a row so that it ends where `key` begins, and returns where it begins. At
// least kPackedHeaderBytesMax writable bytes lie before `key`.
char* write_packed_header(uint32_t key_group, size_t key_bytes, size_t value_bytes, char* key);
// Takes the next row off the front of `rest`; false if what is there is no row.
bool take_packed(std::string_view* rest, PackedRow* row);

}  // namespace kappa::state
