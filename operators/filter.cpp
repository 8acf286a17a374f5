#include "operators/filter.h"

#include "operators/row_errors.h"

namespace kappa::operators {

Filter::Filter(const Plan& plan, NodeId node)
    : node_(node), predicate_(std::get<FilterNode>(plan.node(node).op).predicate) {}

void Filter::process(const Batch& input, const OperatorContext& context, std::vector<Batch>* out) {
  if (input.empty()) return;
  std::vector<uint32_t> rows;
  std::vector<RowError> errors;
  predicate_.select(input, context.arena, &rows, &errors);
  report_errors(node_, input, errors, context);
  if (rows.size() == input.rows) {
    out->push_back(input);
  } else if (!rows.empty()) {
    out->push_back(gather(input, rows));
  }
}

}  // namespace kappa::operators
