#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "operators/operator.h"
#include "state/table.h"

namespace kappa::operators {

// An operator over an AggregateNode. Its table is also what a view over it reads, so results are
// kept once; this is the view's side. Rows are those of the table, or their old images.
class GroupedRows : public Operator {
 public:
  virtual const state::Table& table() const = 0;
  // Whether a query at this watermark sees the row: closed if emit = final, not yet expired.
  virtual bool visible(const std::byte* row, int64_t watermark_us) const = 0;
  // Of emit = 'final': the watermark that closes the row's window, if this one has not.
  virtual std::optional<int64_t> waits_for(const std::byte* row, int64_t watermark_us) const = 0;
  // Appends column `column` of the node's schema for each row.
  virtual void append_column(int column, std::span<const std::byte* const> rows, Column& out,
                             Arena& arena) const = 0;
  // The columns of the schema that tell rows apart, in the order in which find() takes them.
  virtual std::vector<int> key_columns() const = 0;
  // The row of a key, now or as of a pinned cut; nullptr if there is none.
  virtual const std::byte* find(const Row& key, std::optional<state::Cut> cut) const = 0;
};

// The operator for a node, whose plan outlives it. `emits`: somebody downstream takes its output as
// changes (or, for emit = final, as final rows); without, only the table is kept up to date.
std::unique_ptr<GroupedRows> make_grouped_rows(const Plan& plan, NodeId node, bool emits);
// Whether rows must come in the order of their places. If not, an epoch's batches may be given to
// process() one after the other, for the result is the same.
bool needs_order(const Plan& plan, const PlanNode& node, bool emits);

}  // namespace kappa::operators
