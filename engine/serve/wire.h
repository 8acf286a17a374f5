#pragma once

#include "absl/status/statusor.h"
#include "engine/runtime/query_executor.h"
#include "engine/runtime/reads.h"
#include "engine/types/column.h"
#include "engine/types/value.h"
#include "operators/plan.h"

namespace kappa::v1 {
class Column;
class Row;
class Stamp;
class Value;
}  // namespace kappa::v1

// Between our values and the messages of schemas/kappa/v1.
namespace kappa::serve {

// `wire` is empty before. Text that is not valid UTF-8 is made so (see valid_utf8()).
void to_wire(const Value& value, v1::Value* wire);
void to_wire(const Column& column, size_t row, v1::Value* wire);
void to_wire(const Row& row, v1::Row* wire);
void to_wire(const Batch& batch, size_t row, v1::Row* wire);
void to_wire(const operators::Field& field, v1::Column* wire);
void to_wire(const runtime::Stamp& stamp, v1::Stamp* wire);

// What a client makes of an answer. InvalidArgument: the kind is not the one of the type, which no
// server of ours sends.
absl::StatusOr<Value> from_wire(const v1::Value& wire, Type type);
operators::Field from_wire(const v1::Column& wire);
// Internal: it has another number of values than the columns.
absl::StatusOr<Row> from_wire(const v1::Row& wire, const operators::Schema& schema);
runtime::Stamp from_wire(const v1::Stamp& wire);

// The value of one part of a key, as a request gives it, in the type of its key column.
// Integers are taken for numeric and double precision; text for numeric, timestamp, date and
// interval. InvalidArgument: "key column card_id is text, got the integer 7".
absl::StatusOr<Value> key_value(const v1::Value& wire, const operators::Field& column);

}  // namespace kappa::serve
