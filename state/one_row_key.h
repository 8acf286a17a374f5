#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/types/column.h"
#include "engine/types/value.h"
#include "state/row_layout.h"

namespace kappa::state {

// One key as columns of one row, to be used over and over: so single keys are hashed and found by
// the same code as whole batches.
class OneRowKey {
 public:
  explicit OneRowKey(const std::vector<RowField>& fields);

  // Takes a key of the fields' types. Its strings must live as long as they are used here.
  void set(const Row& key);
  std::span<const ColumnRef> columns() const { return columns_; }
  std::span<const uint64_t> hashes() const { return hashes_; }

 private:
  std::vector<std::shared_ptr<Column>> writable_;
  std::vector<ColumnRef> columns_;  // the same
  std::vector<uint64_t> hashes_;
};

}  // namespace kappa::state
