#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/types/column.h"
#include "schemas/source.h"

namespace kappa::operators {

// The key of an output topic's records: the PRIMARY KEY of its table. The bytes of a single text
// column, else a JSON object of the key columns, in the key's order. A single column that is NULL
// makes no key, nor does a table without a primary key. Immutable.
class RecordKey {
 public:
  explicit RecordKey(const schemas::Source& sink);

  // The key's columns among `columns`, which are the table's, in order: once a batch.
  std::vector<ColumnRef> pick(std::span<const ColumnRef> columns) const;
  // Of row `row`, from what pick() gave.
  std::optional<std::string> at(std::span<const ColumnRef> key, size_t row) const;

 private:
  std::vector<int> columns_;
  std::vector<std::string> names_;
};

}  // namespace kappa::operators
