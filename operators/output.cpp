#include "operators/output.h"

#include "schemas/encoder.h"

namespace kappa::operators {

Output::Output(const Plan& plan, NodeId node) : node_(node) {
  const auto& op = std::get<OutputNode>(plan.node(node).op);
  const schemas::Source& sink = plan.sources[static_cast<size_t>(op.sink)];
  for (const schemas::SourceColumn& column : sink.columns) {
    names_.push_back(column.field.empty() ? column.name : column.field);
  }
  key_ = sink.primary_key;
  for (int column : key_) key_names_.push_back(names_[static_cast<size_t>(column)]);
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
    schemas::encode_json(names_, input.columns, i, &side.text);
    side.key = key_at(key, i);
    context.side.push_back(std::move(side));
  }
}

}  // namespace kappa::operators
