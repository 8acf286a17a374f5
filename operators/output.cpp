#include "operators/output.h"

#include "schemas/encoder.h"

namespace kappa::operators {

Output::Output(const Plan& plan, NodeId node) : node_(node) {
  const auto& op = std::get<OutputNode>(plan.node(node).op);
  for (const schemas::SourceColumn& column : plan.sources[static_cast<size_t>(op.sink)].columns) {
    names_.push_back(column.field.empty() ? column.name : column.field);
  }
}

void Output::process(const Batch& input, const OperatorContext& context, std::vector<Batch>*) {
  for (size_t i = 0; i < input.rows; ++i) {
    SideRow side{input.places[i], node_, SideRow::Kind::kOutput, {}, {}, {}};
    if (!input.ties.empty()) side.tie = input.ties[i].view();
    schemas::encode_json(names_, input.columns, i, &side.text);
    context.side.push_back(std::move(side));
  }
}

}  // namespace kappa::operators
