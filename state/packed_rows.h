#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "state/table_id.h"

namespace kappa::state {

// A changed row in its stored form, as a checkpoint writes it.
struct PackedRow {
  uint32_t key_group = 0;
  std::string_view key;
  std::string_view value;
  bool deleted = false;  // a tombstone: the key is gone
};

// How much of a table a checkpoint holds.
struct PackedHead {
  uint32_t sequence = 0;  // counts the checkpoints that the table took part in, from 1
  // The last so many checkpoints, this one included, hold all rows of the table, so that older ones
  // are of no use to it. 0: it does not know yet.
  uint32_t whole_in = 0;
  // The same by the store's number of the first of them, where rows are still needed that another
  // process wrote. 0: `whole_in` tells.
  uint64_t whole_from = 0;
};

// Rows packed one after the other; of two rows with one key the later one holds.
//
//   key group u8, below 128 | key bytes varint | value bytes + 1 varint, 0 for a tombstone | key |
//   value
inline constexpr size_t kPackedHeaderBytesMax = 11;

void append_packed(const PackedRow& row, std::string* out);
// Writes the head of a row so that it ends where `key` begins, and returns where it begins. At
// least kPackedHeaderBytesMax writable bytes lie before `key`.
char* write_packed_header(uint32_t key_group, size_t key_bytes, size_t value_bytes, char* key);
// Takes the next row off the front of `rest`; false if what is there is no row.
bool take_packed(std::string_view* rest, PackedRow* row);

// What a table has packed for a checkpoint, in pieces as they will be stored: no piece is so long
// that it takes fresh memory from the system, or that anyone has to copy it to make it longer.
struct PackedTable {
  TableId id;
  PackedHead head;
  std::vector<std::string> blobs;  // packed rows, about kBlobBytes of them each
  bool events = false;             // they are stored events (stored_events.h)

  static constexpr size_t kBlobBytes = 32u << 10;
  // The blob that the next row is to be appended to.
  std::string* blob();
};

}  // namespace kappa::state
