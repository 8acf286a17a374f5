#pragma once

#include <string>
#include <string_view>

#include "engine/types/arena.h"
#include "engine/types/column.h"
#include "schemas/protobuf_plan.h"
#include "schemas/protobuf_scalar.h"
#include "schemas/row_writer.h"

// What a Protobuf value means to a column. See README.md for the rules in words.
namespace kappa::schemas {

// Writes `value` as column number `index` of the row at hand. False if it is no value of the
// column. Names of enums go to `arena`.
bool store_proto_value(const ProtoColumn& column, size_t index, const ProtoScalar& value,
                       RowWriter& row, Arena& arena);

// The value as messages show it, bounded in length.
std::string describe_proto_value(const ProtoColumn& column, const ProtoScalar& value);

}  // namespace kappa::schemas
