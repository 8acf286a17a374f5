#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/types/column.h"
#include "schemas/source.h"

namespace kappa::schemas {

// Appends row `row` of `columns` as one JSON object to `out`, by the rules of the type table
// (bigint beyond 2^53 and numeric as string, RFC 3339 times, base64 bytea). Nulls are written as
// null. `names` has one name a column.
void encode_json(std::span<const std::string> names, std::span<const ColumnRef> columns, size_t row,
                 std::string* out);

}  // namespace kappa::schemas
