#include "engine/sql/over_planner.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/sql/expression_tree.h"
#include "engine/sql/projected.h"
#include "engine/sql/view_planner.h"
#include "operators/running_values.h"

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

// The Sliding nodes of a SELECT: calls of one partition are in one, or in two if some can be kept
// running and others not.
struct Slides {
  struct Slide {
    SlidingNode node;
    bool running;
  };
  std::vector<Slide> slides;
  std::vector<std::pair<size_t, size_t>> place_of_call;  // slide, call of its node

  size_t of(const std::vector<int>& partition, bool running) {
    const auto takes = [&](const Slide& slide) {
      return slide.node.partition == partition && slide.running == running &&
             !(running && slide.node.calls.size() == operators::kRunningCallsMax);
    };
    const auto found = std::find_if(slides.begin(), slides.end(), takes);
    if (found != slides.end()) return static_cast<size_t>(found - slides.begin());
    slides.push_back({{.partition = partition, .event_time = 0, .calls = {}}, running});
    return slides.size() - 1;
  }

  void add(const OverExpr& over, Projected& read) {
    std::vector<int> partition;
    for (const ExprRef& expr : over.partition) partition.push_back(read.add(expr));
    FrameCall call{.function = over.function,
                   .argument = over.argument ? read.add(over.argument) : -1,
                   .filter = over.filter ? read.add(over.filter) : -1,
                   .frame = over.frame,
                   .distance = over.distance,
                   .result = over.result,
                   .position = over.position};
    const Type argument = over.argument ? over.argument->type : Type::null();
    const size_t slide = of(partition, operators::is_running(call, argument));
    std::vector<FrameCall>& calls = slides[slide].node.calls;
    place_of_call.emplace_back(slide, calls.size());
    calls.push_back(call);
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
  for (auto& [slide, running] : slides.slides) {
    first_result.push_back(static_cast<int>(builder_.node(node).schema.size()));
    slide.event_time = time;
    slide.emit = emission_.emit;
    slide.horizon_us = longest_range_us(bound_.overs);
    slide.notes_late = !final && first_result.size() == 1;
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
