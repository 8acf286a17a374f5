#pragma once

#include <memory>
#include <string>
#include <vector>

#include "operators/group_side.h"

namespace kappa::operators {

// The sketches of approx_count_distinct: a row a group, whose value is the bytes of a
// DistinctSketch. They lie beside the group's row, so that a checkpoint writes those that changed,
// and a large one soon changes seldom. Of an append-only input: what a sketch has seen it keeps.
class GroupSketches final : public GroupSide {
 public:
  // `estimate` is the field of the groups' rows that holds the result. `groups` outlives this.
  GroupSketches(state::TableId id, const std::vector<Type>& group_key, int argument, int filter,
                state::RowField estimate, state::Table& groups);

  state::Table& table() override { return *table_; }
  void find(const Batch& input, std::span<const ColumnRef> key) override;
  void apply(size_t begin, size_t end, std::span<const state::RowId> groups) override;
  void erase_window(int64_t window_start, std::span<const state::RowId> groups) override;

 private:
  // The sketches of the rows `seen`; made if there are none.
  std::vector<state::RowId> rows_of(std::span<const ColumnRef> key,
                                    const std::vector<uint32_t>& seen);

  int argument_;
  int filter_;
  state::RowField estimate_;
  state::Table& groups_;
  std::unique_ptr<state::Table> table_;
  // Of the batch found last: the sketch of each row, and its value's hash.
  std::vector<state::RowId> found_;
  std::vector<uint64_t> hashes_;
  std::string bytes_;  // scratch
};

}  // namespace kappa::operators
