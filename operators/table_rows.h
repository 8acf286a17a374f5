#pragma once

#include <span>
#include <vector>

#include "operators/operator.h"
#include "state/table.h"

// Rows of batches on their way into tables, and keys on their way back.
namespace kappa::operators {

// Topic, partition, offset and ordinal of the records that caused the rows: the ordinal counts the
// rows of one record, from 0. Topics point to what lives as long as the epoch.
std::vector<ColumnRef> record_columns(const Batch& input, const OperatorContext& context);

// Some of a batch's columns.
std::vector<ColumnRef> columns_of(const Batch& batch, const std::vector<int>& columns);

// The first `fields` key fields of rows of a table, as columns. Strings lie in `arena`.
std::vector<ColumnRef> key_columns(const state::Table& table, std::span<const state::RowId> rows,
                                   size_t fields, Arena& arena);

// Sets a value field of a touched row to the value of `column` at `row`.
void store_value(state::Table& table, state::RowId id, const state::RowField& field,
                 const Column& column, size_t row);

}  // namespace kappa::operators
