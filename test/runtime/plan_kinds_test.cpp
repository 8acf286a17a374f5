#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "test/environment.h"
#include "test/runtime/model/plan_generator.h"

namespace kappa::runtime {
namespace {

using model::Node;
using model::Plan;

template <typename Op>
const Op* is(const Plan& plan, size_t n) {
  return std::get_if<Op>(&plan.nodes[n].op);
}

bool is_final_window(const Plan& plan, size_t n) {
  const auto* op = is<model::AggregateNode>(plan, n);
  return op && op->window && op->final;
}

// The node whose rows come to this one, filtered, computed with and kept by views on the way.
size_t below(const Plan& plan, size_t n) {
  const bool passes = is<model::FilterNode>(plan, n) || is<model::ProjectNode>(plan, n) ||
                      is<model::ViewNode>(plan, n);
  return passes ? below(plan, plan.nodes[n].inputs[0]) : n;
}

bool is_final_over(const Plan& plan, size_t n) {
  const auto* op = is<model::SlidingNode>(plan, n);
  return op && op->final;
}

bool is_union_of_final_windows(const Plan& plan, size_t n) {
  if (!is<model::UnionNode>(plan, n)) return false;
  for (const size_t input : plan.nodes[n].inputs) {
    if (!is_final_window(plan, below(plan, input))) return false;
  }
  return true;
}

bool keeps_rows(const Plan& plan, size_t n) {
  return is<model::AggregateNode>(plan, n) || is<model::DistinctNode>(plan, n) ||
         is<model::TopNNode>(plan, n) || is<model::SlidingNode>(plan, n) ||
         is<model::RelationJoinNode>(plan, n) || is<model::IntervalJoinNode>(plan, n);
}

using Holds = std::function<bool(const Plan&, size_t)>;

Holds reads(const Holds& upper, const Holds& lower) {
  return [=](const Plan& plan, size_t n) {
    if (!upper(plan, n)) return false;
    const std::vector<size_t>& inputs = plan.nodes[n].inputs;
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](size_t input) { return lower(plan, below(plan, input)); });
  };
}

std::vector<Type> types_of(const Plan& plan, size_t n);

// Types of columns of a node's first input.
bool has_double(const Plan& plan, size_t n, const std::vector<size_t>& columns) {
  const std::vector<Type> types = types_of(plan, plan.nodes[n].inputs[0]);
  return plan.odd_doubles && std::any_of(columns.begin(), columns.end(), [&](size_t column) {
           return types[column].id == TypeId::kDouble;
         });
}

void append(const std::vector<Type>& more, std::vector<Type>* types) {
  types->insert(types->end(), more.begin(), more.end());
}

// What stands behind the columns of the node's first input.
std::vector<Type> added_types(const Plan& plan, size_t n) {
  std::vector<Type> types;
  if (is<model::ReorderNode>(plan, n)) {
    return {Type::text(), Type::integer(), Type::bigint(), Type::integer()};
  }
  if (const auto* sliding = is<model::SlidingNode>(plan, n)) {
    for (const model::FrameCall& call : sliding->calls) types.push_back(call.call.result);
  } else if (const auto* top = is<model::TopNNode>(plan, n)) {
    if (top->ranked) types.push_back(Type::bigint());
  } else if (const auto* lookup = is<model::LookupNode>(plan, n)) {
    types = lookup->right_types;
  } else if (const auto* join = is<model::RelationJoinNode>(plan, n)) {
    types = join->right_types;
  } else if (const auto* timed = is<model::IntervalJoinNode>(plan, n)) {
    types = timed->right_types;
    types.push_back(Type::timestamptz());
  }
  return types;
}

std::vector<Type> types_of(const Plan& plan, size_t n) {
  std::vector<Type> types;
  if (const auto* source = is<model::SourceNode>(plan, n)) {
    for (const model::Field& field : plan.sources[source->source].fields) {
      types.push_back(field.type);
    }
    for (const model::Field& field : model::record_fields()) types.push_back(field.type);
    return types;
  }
  const std::vector<Type> input = types_of(plan, plan.nodes[n].inputs[0]);
  if (const auto* project = is<model::ProjectNode>(plan, n)) {
    for (const model::ExprRef& expr : project->exprs) types.push_back(expr->type);
    return types;
  }
  if (const auto* op = is<model::AggregateNode>(plan, n)) {
    for (const size_t group : op->groups) types.push_back(input[group]);
    if (op->window) append({Type::timestamptz(), Type::timestamptz()}, &types);
    for (const model::AggregateCall& call : op->calls) types.push_back(call.result);
    return types;
  }
  types = input;
  append(added_types(plan, n), &types);
  return types;
}

bool groups_doubles(const Plan& plan, size_t n) {
  const auto* op = is<model::AggregateNode>(plan, n);
  return op && has_double(plan, n, op->groups);
}

bool aggregates_doubles(const Plan& plan, size_t n) {
  const auto* op = is<model::AggregateNode>(plan, n);
  if (!op) return false;
  std::vector<size_t> arguments;
  for (const model::AggregateCall& call : op->calls) {
    if (call.call != model::Call::kCountStar) arguments.push_back(call.argument);
  }
  return has_double(plan, n, arguments);
}

bool parts_doubles(const Plan& plan, size_t n) {
  const auto* op = is<model::SlidingNode>(plan, n);
  return op && has_double(plan, n, op->partition);
}

bool orders_doubles(const Plan& plan, size_t n) {
  const auto* op = is<model::TopNNode>(plan, n);
  if (!op) return false;
  std::vector<size_t> columns = op->key;
  for (const auto& by : op->order) columns.push_back(by.column);
  return has_double(plan, n, columns);
}

bool tells_doubles_apart(const Plan& plan, size_t n) {
  const auto* op = is<model::DistinctNode>(plan, n);
  return op && has_double(plan, n, op->key);
}

bool joins_doubles(const Plan& plan, size_t n) {
  std::vector<size_t> columns;
  if (const auto* op = is<model::RelationJoinNode>(plan, n)) {
    for (const auto& [left, right] : op->equal) columns.push_back(left);
  } else if (const auto* timed = is<model::IntervalJoinNode>(plan, n)) {
    for (const auto& [left, right] : timed->equal) columns.push_back(left);
  }
  return !columns.empty() && has_double(plan, n, columns);
}

bool looks_doubles_up(const Plan& plan, size_t n) {
  const auto* op = is<model::LookupNode>(plan, n);
  return op && plan.odd_doubles &&
         std::any_of(op->left.begin(), op->left.end(),
                     [](const model::ExprRef& expr) { return expr->type.id == TypeId::kDouble; });
}

struct Kind {
  std::string name;
  Holds holds;  // of a node
  size_t at_least_of_1000;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kinds{
      {"a union of final windows", is_union_of_final_windows, 200},
      {"an operator above one", reads(keeps_rows, is_union_of_final_windows), 100},
      {"OVER above one",
       reads([](const Plan& plan, size_t n) { return is<model::SlidingNode>(plan, n) != nullptr; },
             is_union_of_final_windows),
       10},
      {"a final window above one", reads(is_final_window, is_union_of_final_windows), 20},
      {"OVER above a final window",
       reads([](const Plan& plan, size_t n) { return is<model::SlidingNode>(plan, n) != nullptr; },
             is_final_window),
       100},
      {"a final window above final OVER", reads(is_final_window, is_final_over), 20},
      {"NaN in groups", groups_doubles, 100},
      {"NaN in aggregates", aggregates_doubles, 100},
      {"NaN in PARTITION BY", parts_doubles, 50},
      {"NaN in DISTINCT", tells_doubles_apart, 30},
      {"NaN in top-N", orders_doubles, 30},
      {"NaN in joins", joins_doubles, 30},
      {"NaN in lookups", looks_doubles_up, 20}};
  return kinds;
}

}  // namespace

// What is hardly ever made is as good as not looked at.
TEST_CASE("random plans reach what is final above what is final, and doubles that are odd") {
  constexpr uint64_t kPlans = 1000;
  std::map<std::string, size_t> reached;
  for (uint64_t seed = 1; seed <= kPlans; ++seed) {
    model::Dice dice(seed);
    const Plan plan = model::generate_plan(dice).plan;
    for (const Kind& kind : kinds()) {
      bool holds = false;
      for (size_t n = 0; n < plan.nodes.size() && !holds; ++n) holds = kind.holds(plan, n);
      reached[kind.name] += holds;
    }
  }
  const bool prints = test::number_from_environment("KAPPA_PLAN_KINDS", 0) > 0;
  for (const Kind& kind : kinds()) {
    if (prints) std::cerr << kind.name << ": " << reached[kind.name] << " of 1000" << std::endl;
    INFO(kind.name);
    CHECK(reached[kind.name] >= kind.at_least_of_1000);
  }
}

}  // namespace kappa::runtime
