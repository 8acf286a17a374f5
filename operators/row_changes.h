#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/types/arena.h"
#include "engine/types/batch.h"
#include "operators/plan.h"
#include "state/table.h"

namespace kappa::operators {

// The changes that an operator gives out for an epoch, as they come to be: rows of its input and
// rows of its table. The schema is the input's, with the row's number behind if it is ranked.
class RowChanges {
 public:
  // Everything is borrowed. Strings of the table's rows are copied into `arena`.
  RowChanges(const Schema& schema, const Batch& input, Arena& arena);

  // Row `row` of the input. `cause` is the row of the input at whose place it happens.
  void add_input(size_t row, size_t cause, int8_t sign, int64_t rank);
  // A row of a table, where `fields` has the input's columns.
  void add_stored(const std::byte* image, std::span<const state::RowField> fields, size_t cause,
                  int8_t sign, int64_t rank);
  // All of them as one batch.
  Batch finish();
  bool empty() const { return batch_.rows == 0; }

 private:
  void add(size_t cause, int8_t sign, int64_t rank);

  const Batch& input_;
  Arena& arena_;
  std::vector<Column> columns_;
  bool ranked_;
  Batch batch_;
};

}  // namespace kappa::operators
