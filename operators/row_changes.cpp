#include "operators/row_changes.h"

namespace kappa::operators {
namespace {

void append_row(const Column& from, size_t row, Column& to) {
  const size_t at = to.rows();
  to.resize(at + 1);
  if (from.is_null(row)) return to.set_null(at);
  dispatch_physical(from.type().physical(),
                    [&]<typename T>() { to.values<T>()[at] = from.values<T>()[row]; });
}

}  // namespace

RowChanges::RowChanges(const Schema& schema, const Batch& input, Arena& arena)
    : input_(input), arena_(arena), ranked_(schema.size() > input.columns.size()) {
  columns_.reserve(schema.size());
  for (const Field& field : schema) columns_.emplace_back(field.type);
}

void RowChanges::add(size_t cause, int8_t sign, int64_t rank) {
  if (ranked_) {
    Column& ranks = columns_.back();
    ranks.resize(batch_.rows + 1);
    ranks.values<int64_t>().back() = rank;
  }
  batch_.places.push_back(input_.places[cause]);
  batch_.signs.push_back(sign);
  if (!input_.ties.empty()) batch_.ties.push_back(input_.ties[cause]);
  ++batch_.rows;
}

void RowChanges::add_input(size_t row, size_t cause, int8_t sign, int64_t rank) {
  for (size_t c = 0; c < input_.columns.size(); ++c) {
    append_row(*input_.columns[c], row, columns_[c]);
  }
  add(cause, sign, rank);
}

void RowChanges::add_stored(const std::byte* image, std::span<const state::RowField> fields,
                            size_t cause, int8_t sign, int64_t rank) {
  for (size_t c = 0; c < fields.size(); ++c) {
    state::Table::append_to(image, fields[c], columns_[c], arena_);
  }
  add(cause, sign, rank);
}

Batch RowChanges::finish() {
  batch_.columns.reserve(columns_.size());
  for (Column& column : columns_) {
    batch_.columns.push_back(std::make_shared<const Column>(std::move(column)));
  }
  return std::move(batch_);
}

}  // namespace kappa::operators
