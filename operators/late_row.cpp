#include "operators/late_row.h"

#include "schemas/encoder.h"

namespace kappa::operators {

SideRow late_row(const Schema& schema, const Batch& input, size_t row, NodeId node) {
  std::vector<std::string> names;
  for (const Field& field : schema) names.push_back(field.name);
  SideRow side{input.places[row], node, SideRow::Kind::kLate, {}, {}, {}};
  if (!input.ties.empty()) side.tie = input.ties[row].view();
  schemas::encode_json(names, input.columns, row, &side.text);
  return side;
}

}  // namespace kappa::operators
