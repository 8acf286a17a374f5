#include "engine/sql/over_planner.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/sql/expression_tree.h"
#include "engine/sql/projected.h"
#include "engine/sql/view_planner.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::Frame;
using operators::FrameCall;
using operators::NodeId;
using operators::SlidingNode;

namespace {

int64_t longest_range_us(const std::vector<OverExpr>& calls) {
  int64_t longest = 0;
  for (const OverExpr& call : calls) {
    if (call.frame.unit == Frame::Unit::kRange) longest = std::max(longest, call.frame.start);
  }
  return longest;
}

// The Sliding nodes of a SELECT: calls of one partition are in one.
struct Slides {
  std::vector<SlidingNode> nodes;
  std::vector<std::pair<size_t, size_t>> place_of_call;  // node, call of the node

  SlidingNode& of(const std::vector<int>& partition) {
    const auto same = [&](const SlidingNode& node) { return node.partition == partition; };
    const auto found = std::find_if(nodes.begin(), nodes.end(), same);
    if (found != nodes.end()) return *found;
    nodes.push_back({.partition = partition, .event_time = 0, .calls = {}});
    return nodes.back();
  }

  void add(const OverExpr& call, Projected& read) {
    std::vector<int> partition;
    for (const ExprRef& expr : call.partition) partition.push_back(read.add(expr));
    SlidingNode& node = of(partition);
    node.calls.push_back({.function = call.function,
                          .argument = call.argument ? read.add(call.argument) : -1,
                          .filter = call.filter ? read.add(call.filter) : -1,
                          .frame = call.frame,
                          .distance = call.distance,
                          .result = call.result,
                          .position = call.position});
    place_of_call.emplace_back(static_cast<size_t>(&node - nodes.data()), node.calls.size() - 1);
  }
};

constexpr const char* kIdentity[] = {"record_topic", "record_partition", "record_offset",
                                     "record_ordinal"};

}  // namespace

Relation OverPlanner::plan(NodeId input, int event_time, bool with_identity) const {
  Projected read;
  const int time = read.add(operators::column_expr(event_time, Type::timestamptz()));
  Slides slides;
  for (const OverExpr& call : bound_.overs) slides.add(call, read);
  const auto of_call = [&](int column) { return column >= from_.window_start(); };
  std::map<int, int> columns;  // of the input, in what is read
  for (const OutputColumn& output : bound_.outputs) {
    replace_columns(output.expr, [&](const operators::Expr& column) {
      const ExprRef same = operators::column_expr(column.column, column.type, column.position);
      if (!of_call(column.column)) columns[column.column] = read.add(same);
      return same;
    });
  }
  NodeId node = builder_.project(input, read.take(), time);
  const bool final = emission_.emit == operators::Emit::kFinal;
  const auto first_identity = static_cast<int>(builder_.node(node).schema.size());
  if (final) node = builder_.reorder(node, {time});
  std::vector<int> first_result;
  for (SlidingNode& slide : slides.nodes) {
    first_result.push_back(static_cast<int>(builder_.node(node).schema.size()));
    slide.event_time = time;
    slide.emit = emission_.emit;
    slide.horizon_us = longest_range_us(bound_.overs);
    slide.notes_late = !final && &slide == &slides.nodes.front();
    node = builder_.sliding(node, slide);
  }

  Relation relation;
  std::vector<ExprRef> exprs;
  for (const OutputColumn& output : bound_.outputs) {
    exprs.push_back(replace_columns(output.expr, [&](const operators::Expr& column) {
      int place = 0;
      if (of_call(column.column)) {
        const auto call = static_cast<size_t>(column.column - from_.window_start());
        const auto [slide, index] = slides.place_of_call[call];
        place = first_result[slide] + static_cast<int>(index);
      } else {
        place = columns.at(column.column);
      }
      return operators::column_expr(place, column.type, column.position);
    }));
    relation.columns.push_back({output.name, output.expr->type});
  }
  if (final && with_identity) {
    std::vector<int> key;
    for (int i = 0; i < 4; ++i) {
      const int column = first_identity + i;
      const Type type = builder_.node(node).schema[static_cast<size_t>(column)].type;
      key.push_back(static_cast<int>(exprs.size()));
      exprs.push_back(operators::column_expr(column, type));
      relation.columns.push_back({.name = kIdentity[i], .type = type, .hidden = true});
    }
    relation.key = std::move(key);
  }
  relation.node = builder_.project(node, std::move(exprs));
  relation.by_records = !final && from_.relation->by_records;
  return relation;
}

}  // namespace kappa::sql
