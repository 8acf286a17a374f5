#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/runtime/dataflow.h"
#include "engine/types/value.h"
#include "operators/plan.h"

namespace kappa::runtime {

// Shows a view's rows, wherever they are kept: in a table of its own, or as the results of the
// aggregate below it. Between epochs, on the coordinator's thread.
class ViewAccess {
 public:
  // Plan and dataflow outlive this.
  ViewAccess(const operators::Plan& plan, const Dataflow& flow, operators::NodeId view);

  uint32_t workers() const { return static_cast<uint32_t>(parts_.size()); }
  const state::Table& table(uint32_t worker) const;
  // Columns of the view's schema, and their types.
  const operators::Schema& schema() const { return schema_; }

  // By which it is judged what is visible: the one that the operator which keeps the rows has met.
  // (A windowed aggregate passes it on less its grace, so the view's own may be lower.)
  int64_t watermark_us(const Watermarks& watermarks) const;
  bool visible(const std::byte* row, int64_t watermark_us) const;
  // The aggregates of emit = 'final' below the view: rows of theirs may wait for a watermark.
  struct Closing {
    operators::NodeId node;
    std::vector<const operators::GroupedRows*> parts;  // by worker
  };
  const std::vector<Closing>& closing() const { return closing_; }
  // One column of the view for each of the rows, which are all of one worker's table.
  void append_column(int column, std::span<const std::byte* const> rows, Column& out,
                     Arena& arena) const;
  // The row of a key, now or as of a pinned cut; nullptr if the worker has none.
  const std::byte* find(uint32_t worker, const Row& view_key, std::optional<state::Cut> cut) const;
  Row row_values(const std::byte* row) const;

 private:
  void find_closing(const operators::Plan& plan, const Dataflow& flow, operators::NodeId node);

  const operators::Schema& schema_;
  operators::NodeId keeper_;               // the node whose operator keeps the rows
  std::vector<Dataflow::ViewPart> parts_;  // by worker
  std::vector<int> source_column_;         // of the aggregate, by column of the view
  std::vector<Closing> closing_;
  std::vector<size_t> key_order_;  // of GroupedRows::key_columns(): their numbers in the view's key
};

}  // namespace kappa::runtime
