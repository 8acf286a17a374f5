#include "engine/sql/parser/tree.h"

#include <algorithm>

namespace kappa::sql {

const Field* Node::find(std::string_view field) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == field; });
  return found == fields.end() ? nullptr : &*found;
}

std::string_view Node::text(std::string_view field) const {
  const Field* found = find(field);
  return found ? std::string_view(found->scalar) : std::string_view();
}

const Node* Node::child(std::string_view field) const {
  const Field* found = find(field);
  return found && !found->is_list && !found->nodes.empty() ? &found->nodes.front() : nullptr;
}

std::span<const Node> Node::list(std::string_view field) const {
  const Field* found = find(field);
  return found && found->is_list ? std::span<const Node>(found->nodes) : std::span<const Node>();
}

std::vector<std::string> Node::names(std::string_view field) const {
  std::vector<std::string> names;
  for (const Node& node : list(field)) names.emplace_back(node.text("sval"));
  return names;
}

size_t Node::first_offset() const {
  size_t first = offset;
  for (const Field& field : fields) {
    for (const Node& part : field.nodes) first = std::min(first, part.first_offset());
  }
  return first;
}

}  // namespace kappa::sql
