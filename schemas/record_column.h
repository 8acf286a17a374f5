#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/type.h"
#include "schemas/source.h"

namespace kappa::schemas {

// What every record has beside its payload, and every source therefore as columns that nobody
// declares: they can be named in SQL, and SELECT * leaves them out.
enum class RecordColumn : uint8_t {
  kKey,        // kafka_key bytea: the bytes of the record's key; NULL without one
  kTimestamp,  // kafka_timestamp timestamptz: the record's timestamp; NULL if it has none (-1)
  kHeaders,    // kafka_headers text: see headers_json.h; NULL without headers
  kPartition,  // kafka_partition integer
  kOffset,     // kafka_offset bigint
};

// A column that plans can read of a source.
struct ReadableColumn {
  std::string name;
  Type type;
  std::optional<RecordColumn> of_record;  // not set: a declared column, from the payload
};

// The columns of a source that plans can read, by which the columns of a SourceNode and a source's
// event time are numbered: first the declared ones, then those of the record. A record's column
// whose name a declared one has is not among them.
std::vector<ReadableColumn> readable_columns(const Source& source);

// Whether a readable column is a declared one.
inline bool is_declared(const Source& source, int column) {
  return static_cast<size_t>(column) < source.columns.size();
}

}  // namespace kappa::schemas
