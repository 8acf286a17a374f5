#include "operators/output.h"

#include <utility>

namespace kappa::operators {

Output::Output(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder)
    : node_(node),
      position_(insert_position(plan, node)),
      encoder_(std::move(encoder)),
      key_(sink_of(plan, node)) {}

void Output::process(const Batch& input, const OperatorContext& context, std::vector<Batch>*) {
  if (input.empty()) return;
  const std::vector<ColumnRef> key = key_.pick(input.columns);
  for (size_t i = 0; i < input.rows; ++i) {
    SideRow side{input.places[i], node_, SideRow::Kind::kOutput, {}, {}, {}};
    if (!input.ties.empty()) side.tie = input.ties[i].view();
    if (const auto status = encoder_->encode(input.columns, i, &side.text); status.ok()) {
      side.key = key_.at(key, i);
    } else {
      side.kind = SideRow::Kind::kError;
      side.text = std::string(status.message());
      side.position = position_;
    }
    context.side.push_back(std::move(side));
  }
}

}  // namespace kappa::operators
