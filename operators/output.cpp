#include "operators/output.h"

#include <utility>

#include "schemas/encoder.h"

namespace kappa::operators {

Output::Output(const Plan& plan, NodeId node, std::unique_ptr<schemas::RowEncoder> encoder)
    : node_(node), encoder_(std::move(encoder)) {
  const auto& op = std::get<OutputNode>(plan.node(node).op);
  const schemas::Source& sink = plan.sources[static_cast<size_t>(op.sink)];
  position_ = plan.statements[static_cast<size_t>(op.statement)].position;
  key_ = sink.primary_key;
  const std::vector<std::string> names = schemas::field_names(sink);
  for (int column : key_) key_names_.push_back(names[static_cast<size_t>(column)]);
}

std::optional<std::string> Output::key_at(std::span<const ColumnRef> key, size_t row) const {
  if (key.empty()) return std::nullopt;
  const Column& first = *key.front();
  if (key.size() == 1 && first.is_null(row)) return std::nullopt;
  if (key.size() == 1 && first.type().id == TypeId::kText) {
    return std::string(first.values<StringRef>()[row].view());
  }
  std::string object;
  schemas::encode_json(key_names_, key, row, &object);
  return object;
}

void Output::process(const Batch& input, const OperatorContext& context, std::vector<Batch>*) {
  if (input.empty()) return;
  std::vector<ColumnRef> key;
  for (int column : key_) key.push_back(input.columns[static_cast<size_t>(column)]);
  for (size_t i = 0; i < input.rows; ++i) {
    SideRow side{input.places[i], node_, SideRow::Kind::kOutput, {}, {}, {}};
    if (!input.ties.empty()) side.tie = input.ties[i].view();
    if (const auto status = encoder_->encode(input.columns, i, &side.text); status.ok()) {
      side.key = key_at(key, i);
    } else {
      side.kind = SideRow::Kind::kError;
      side.text = std::string(status.message());
      side.position = position_;
    }
    context.side.push_back(std::move(side));
  }
}

}  // namespace kappa::operators
