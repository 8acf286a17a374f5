#include <algorithm>

#include "test/runtime/model/model.h"

// What leaves the model's way, and where it goes.
namespace kappa::model {

void Model::note_late(size_t node) {
  const std::string view = view_below(node);
  note(SideRow::Kind::kLate, view + ".late", {}, view);
}

void Model::note(SideRow::Kind kind, std::string topic, Row row, std::string view) {
  side_.push_back({kind, std::move(topic), place_, place_offset_, std::move(row), std::move(view)});
}

std::string Model::dead_letters(size_t node) const {
  return (place_ ? place_->topic : view_below(node)) + ".dead-letters";
}

// The view that a node's rows are on their way to; for an output, the product.
std::string Model::view_below(size_t node) const {
  if (const auto* view = std::get_if<ViewNode>(&plan_.nodes[node].op)) return view->name;
  for (size_t n = node + 1; n < plan_.nodes.size(); ++n) {
    const auto& inputs = plan_.nodes[n].inputs;
    if (std::find(inputs.begin(), inputs.end(), node) != inputs.end()) return view_below(n);
  }
  return "default";
}

}  // namespace kappa::model
