#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/types/arena.h"
#include "engine/types/column.h"
#include "engine/types/record.h"
#include "schemas/source.h"

namespace kappa::schemas {

// A record that is not well formed: it yields no row and goes to the dead letters.
struct Malformed {
  uint32_t record;  // index into the records of the call
  std::string
      reason;  // "column amount: expected a number with 2 digits after the point, got \"x\""
};

// What a decoder filled in.
struct Decoded {
  std::vector<Column> columns;    // one for each wanted column, in the order wanted
  std::vector<uint32_t> records;  // for each row, its index into the records of the call, ascending
  std::vector<Malformed> malformed;
  // Of mode 'upsert': -1 for rows that delete, of which only the primary key's columns have values,
  // +1 for the others; empty: all are of those. What any other decoder leaves alone.
  std::vector<int8_t> signs = {};
};

// Turns payloads into columns. Every declared column is checked, wanted or not, so that whether a
// record is well formed does not depend on what the views read; undeclared fields are skipped.
// A missing field, or a JSON null, is NULL; a NULL in a NOT NULL, primary key or event-time column,
// or a null payload where the source is not of mode 'upsert', is malformed. Strings point into the
// payloads where they can and into `arena` otherwise. An instance belongs to one thread: it may
// learn from what it sees, but what it returns never depends on what it has learnt.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Each payload is followed by kRecordPadding readable bytes. `out` is overwritten; its columns'
  // memory is reused where it can be.
  virtual void decode(std::span<const RecordView* const> records, Arena& arena, Decoded* out) = 0;
  // The same for records that lie side by side.
  void decode(std::span<const RecordView> records, Arena& arena, Decoded* out);
};

// Files that a source names (.proto), by path relative to the product's directory.
using ProductFiles = std::map<std::string, std::string>;

// A decoder of `wanted` (indexes into source.columns, ascending) of `source`.
// InvalidArgument: a .proto that does not parse or lacks a column's field, or a field whose type a
// column cannot take; the message names file, line and what would be right.
absl::StatusOr<std::unique_ptr<Decoder>> make_decoder(const Source& source, std::vector<int> wanted,
                                                      const ProductFiles& files);

}  // namespace kappa::schemas
