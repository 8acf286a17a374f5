#pragma once

#include <vector>

#include "operators/operator.h"
#include "state/table.h"

// Rows of batches on their way into tables.
namespace kappa::operators {

// Topic, partition, offset and ordinal of the records that caused the rows: the ordinal counts the
// rows of one record, from 0. Topics point to what lives as long as the epoch.
std::vector<ColumnRef> record_columns(const Batch& input, const OperatorContext& context);

// Sets a value field of a touched row to the value of `column` at `row`.
void store_value(state::Table& table, state::RowId id, const state::RowField& field,
                 const Column& column, size_t row);

}  // namespace kappa::operators
