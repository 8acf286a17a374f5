#pragma once

#include <string>

#include "engine/types/column.h"
#include "schemas/protobuf_plan.h"
#include "schemas/protobuf_scalar.h"

// What a column's value is as a Protobuf value: the way back of protobuf_value.h.
namespace kappa::schemas {

// The value of row `row`, which is not NULL, as the column's field takes it. Text points into the
// column or into `text`. False if the field has no such value.
bool scalar_of_value(const ProtoColumn& field, const Column& column, size_t row, std::string* text,
                     ProtoScalar* scalar);

}  // namespace kappa::schemas
