#include "engine/runtime/view_access.h"

#include <algorithm>

#include "engine/types/invariant.h"

namespace kappa::runtime {

using operators::NodeId;
using operators::PlanNode;

ViewAccess::ViewAccess(const operators::Plan& plan, const Dataflow& flow, NodeId view)
    : schema_(plan.node(view).schema), keeper_(view) {
  for (uint32_t w = 0; w < flow.workers(); ++w) parts_.push_back(flow.view_part(view, w));
  const PlanNode& node = plan.node(view);
  find_closing(plan, flow, node.inputs[0]);
  const auto& op = std::get<operators::ViewNode>(node.op);
  const PlanNode& input = plan.node(node.inputs[0]);
  for (int c = 0; c < static_cast<int>(schema_.size()); ++c) {
    const auto* project = std::get_if<operators::ProjectNode>(&input.op);
    const bool passes = parts_[0].grouped && project;
    source_column_.push_back(passes ? project->exprs[static_cast<size_t>(c)]->column : c);
  }
  if (!parts_[0].grouped) return;
  keeper_ = std::holds_alternative<operators::ProjectNode>(input.op) ? input.inputs[0] : input.id;
  for (const int shown : parts_[0].grouped->key_columns()) {
    const auto found = std::find_if(op.key.begin(), op.key.end(), [&](int column) {
      return source_column_[static_cast<size_t>(column)] == shown;
    });
    KAPPA_INVARIANT(found != op.key.end(), "a grouped view selects its key: view " + op.name);
    key_order_.push_back(static_cast<size_t>(found - op.key.begin()));
  }
}

void ViewAccess::find_closing(const operators::Plan& plan, const Dataflow& flow, NodeId id) {
  const PlanNode& node = plan.node(id);
  if (std::holds_alternative<operators::ViewNode>(node.op)) return;
  const auto* aggregate = std::get_if<operators::AggregateNode>(&node.op);
  if (!aggregate) {
    for (const NodeId input : node.inputs) {
      find_closing(plan, flow, input);
      // What waits on its right side is not on its way to the view.
      if (operators::looks_up(node)) break;
    }
  } else if (aggregate->window && aggregate->emit == operators::Emit::kFinal) {
    Closing closing{id, {}};
    for (uint32_t w = 0; w < flow.workers(); ++w) closing.parts.push_back(&flow.grouped(id, w));
    closing_.push_back(std::move(closing));
  }
}

const state::Table& ViewAccess::table(uint32_t worker) const {
  const Dataflow::ViewPart& part = parts_[worker];
  return part.grouped ? part.grouped->table() : part.table->table();
}

int64_t ViewAccess::watermark_us(const Watermarks& watermarks) const {
  return watermarks.input_current(keeper_);
}

bool ViewAccess::visible(const std::byte* row, int64_t watermark_us) const {
  const Dataflow::ViewPart& part = parts_[0];  // says the same on every worker
  return part.grouped ? part.grouped->visible(row, watermark_us)
                      : part.table->visible(row, watermark_us);
}

void ViewAccess::append_column(int column, std::span<const std::byte* const> rows, Column& out,
                               Arena& arena) const {
  const int source = source_column_[static_cast<size_t>(column)];
  if (parts_[0].grouped) {
    parts_[0].grouped->append_column(source, rows, out, arena);
  } else {
    parts_[0].table->append_column(source, rows, out, arena);
  }
}

const std::byte* ViewAccess::find(uint32_t worker, const Row& view_key,
                                  std::optional<state::Cut> cut) const {
  if (const operators::GroupedRows* grouped = parts_[worker].grouped) {
    Row key;
    for (size_t position : key_order_) key.push_back(view_key[position]);
    return grouped->find(key, cut);
  }
  const state::Table& rows = table(worker);
  if (cut) return rows.find_image(view_key, *cut);
  const state::RowId found = rows.find_one(view_key);
  return found == state::kNoRow ? nullptr : rows.row(found);
}

Row ViewAccess::row_values(const std::byte* row) const {
  Arena arena;
  Row values;
  for (int c = 0; c < static_cast<int>(schema_.size()); ++c) {
    Column column(schema_[static_cast<size_t>(c)].type);
    append_column(c, {&row, 1}, column, arena);
    values.push_back(value_at(column, 0));
  }
  return values;
}

}  // namespace kappa::runtime
