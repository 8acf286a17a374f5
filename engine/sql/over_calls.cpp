#include "engine/sql/over_calls.h"

#include <algorithm>

#include "engine/sql/expression_tree.h"

namespace kappa::sql {
namespace {

bool equal(const operators::ExprRef& a, const operators::ExprRef& b) {
  if (!a || !b) return !a && !b;
  return same_meaning(a, b);
}

bool equal(const OverExpr& a, const OverExpr& b) {
  return a.function == b.function && a.frame == b.frame && a.distance == b.distance &&
         equal(a.argument, b.argument) && equal(a.filter, b.filter) &&
         std::equal(a.partition.begin(), a.partition.end(), b.partition.begin(), b.partition.end(),
                    [](const auto& x, const auto& y) { return equal(x, y); });
}

}  // namespace

int OverCalls::add(OverExpr call) {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [&](const OverExpr& other) { return equal(other, call); });
  if (found != all_.end()) return static_cast<int>(found - all_.begin());
  all_.push_back(std::move(call));
  return static_cast<int>(all_.size()) - 1;
}

const Node* OverCalls::find_window(std::string_view name) {
  for (const Node& window : select_->list("windowClause")) {
    if (window.text("name") != name) continue;
    found_.emplace(name);
    return &window;
  }
  return nullptr;
}

const Node* OverCalls::unused_window() const {
  for (const Node& window : select_->list("windowClause")) {
    if (!found_.contains(window.text("name"))) return &window;
  }
  return nullptr;
}

std::vector<std::string> OverCalls::window_names() const {
  std::vector<std::string> names;
  for (const Node& window : select_->list("windowClause")) names.emplace_back(window.text("name"));
  return names;
}

}  // namespace kappa::sql
