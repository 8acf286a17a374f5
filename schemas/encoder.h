#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/types/column.h"
#include "schemas/decoder.h"
#include "schemas/source.h"

namespace kappa::schemas {

// Turns rows of an output topic's columns into payloads: what its table declares decides how.
// Immutable, so any thread may use it.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  // Appends row `row` of `columns`, which are the table's, in order, to `out`. InvalidArgument: why
  // the row has no payload; what was appended then means nothing.
  virtual absl::Status encode(std::span<const ColumnRef> columns, size_t row,
                              std::string* out) const = 0;
  // Whether a row of the table's types may have no payload.
  virtual bool can_fail() const { return true; }
};

// An encoder for a table's format. InvalidArgument as of make_decoder, or a field that the message
// requires and no column fills.
absl::StatusOr<std::unique_ptr<RowEncoder>> make_encoder(const Source& sink,
                                                         const ProductFiles& files);

// The names on the wire of a table's columns.
std::vector<std::string> field_names(const Source& sink);

// Appends row `row` of `columns` as one JSON object to `out`, by the rules of the type table
// (bigint beyond 2^53 and numeric as string, RFC 3339 times, base64 bytea). Nulls are written as
// null. `names` has one name a column.
void encode_json(std::span<const std::string> names, std::span<const ColumnRef> columns, size_t row,
                 std::string* out);

// Appends a text as a JSON string, quotes included.
void append_json_string(std::string_view text, std::string* out);

}  // namespace kappa::schemas
