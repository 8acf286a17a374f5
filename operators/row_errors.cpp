#include "operators/row_errors.h"

namespace kappa::operators {

void report_errors(NodeId node, const Batch& input, const std::vector<RowError>& errors,
                   const OperatorContext& context) {
  for (const RowError& error : errors) {
    if (!input.signs.empty() && input.signs[error.row] < 0) continue;
    SideRow side{.place = input.places[error.row],
                 .node = node,
                 .kind = SideRow::Kind::kError,
                 .tie = {},
                 .text = error.message,
                 .position = {error.line, error.column}};
    if (!input.ties.empty()) side.tie = input.ties[error.row].view();
    context.side.push_back(std::move(side));
  }
}

Batch without_errors(const Batch& batch, const std::vector<RowError>& errors) {
  std::vector<uint32_t> kept;
  kept.reserve(batch.rows);
  size_t next = 0;
  for (uint32_t i = 0; i < batch.rows; ++i) {
    if (next < errors.size() && errors[next].row == i) {
      ++next;
    } else {
      kept.push_back(i);
    }
  }
  return gather(batch, kept);
}

}  // namespace kappa::operators
