#include <algorithm>

#include "test/runtime/model/model.h"

// The model's joins and lookups.
namespace kappa::model {

std::vector<std::pair<bool, Change>> Model::sides_of(size_t n) const {
  std::vector<std::pair<bool, Change>> changes;
  for (const bool left : {false, true}) {
    for (const Change& change : nodes_[plan_.nodes[n].inputs[left ? 0 : 1]].out) {
      changes.emplace_back(left, change);
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const auto& a, const auto& b) { return a.second.cause < b.second.cause; });
  return changes;
}

void Model::join(size_t n) {
  NodeState& state = nodes_[n];
  const auto& op = std::get<RelationJoinNode>(plan_.nodes[n].op);
  for (const auto& [left, change] : sides_of(n)) {
    if (change.expired) continue;
    const size_t first = state.out.size();
    const auto changes = state.joined.apply(op, left, change);
    state.out.insert(state.out.end(), changes.begin(), changes.end());
    pass_cause_on(n, first, change.cause);
  }
}

void Model::join_by_time(size_t n) {
  const auto& op = std::get<IntervalJoinNode>(plan_.nodes[n].op);
  NodeState& state = nodes_[n];
  const int64_t taken_from_us = less(state.in_us, op.grace_us);
  for (const auto& [left, change] : sides_of(n)) {
    if (change.sign < 0) continue;  // what a view has forgotten it does not take back
    const auto time = std::get<int64_t>(change.row[left ? op.left_time : op.right_time].data);
    if (time < taken_from_us) {
      note(SideRow::Kind::kLate, view_below(n) + ".late", {}, view_below(n));
      continue;
    }
    const size_t first = state.out.size();
    const auto pairs = state.timed.apply(op, left, change.row, taken_from_us);
    state.out.insert(state.out.end(), pairs.begin(), pairs.end());
    pass_cause_on(n, first, change.cause);
  }
}

std::optional<Row> Model::find(size_t n, const Row& key) const {
  const auto& op = std::get<LookupNode>(plan_.nodes[n].op);
  size_t looked_in = plan_.nodes[n].inputs[1];
  if (op.right_filter) looked_in = plan_.nodes[looked_in].inputs[0];
  const auto wide = [](const Value& value) {
    return value.type.id == TypeId::kInteger && !value.is_null()
               ? Value::bigint(std::get<int32_t>(value.data))
               : value;
  };
  const auto& view = std::get<ViewNode>(plan_.nodes[looked_in].op);
  for (const auto& [view_key, row] : nodes_[looked_in].keyed) {
    bool equal = !expired(view, row, nodes_[looked_in]);
    for (size_t i = 0; i < key.size(); ++i) {
      const Value& on_the_right = row[op.right[i]];
      equal = equal && !key[i].is_null() && !on_the_right.is_null() &&
              compare_nulls_last(wide(key[i]), wide(on_the_right)) == 0;
    }
    if (!equal) continue;
    const auto passes = op.right_filter ? evaluate(*op.right_filter, row) : Value::boolean(true);
    if (passes && !passes->is_null() && std::get<bool>(passes->data)) return row;
  }
  return std::nullopt;
}

void Model::lookup(size_t n, const Change& change) {
  const auto& op = std::get<LookupNode>(plan_.nodes[n].op);
  Row key;
  for (const ExprRef& expr : op.left) {
    auto value = evaluate(*expr, change.row);
    if (!value) return note(SideRow::Kind::kError, dead_letters(n));
    key.push_back(*std::move(value));
  }
  Row joined = change.row;
  const auto found = find(n, key);
  bool matches = found.has_value();
  if (found) joined.insert(joined.end(), found->begin(), found->end());
  if (found && op.condition) {
    const auto holds = evaluate(*op.condition, joined);
    if (!holds) return note(SideRow::Kind::kError, dead_letters(n));
    matches = !holds->is_null() && std::get<bool>(holds->data);
  }
  if (!matches && !op.outer) return;
  if (!matches) {
    joined = change.row;
    for (const Type& type : op.right_types) joined.push_back(Value::null(type));
  }
  nodes_[n].out.push_back({change.sign, std::move(joined)});
}

}  // namespace kappa::model
