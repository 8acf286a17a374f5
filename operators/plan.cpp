#include "operators/plan.h"

#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/types/hash.h"
#include "engine/types/value.h"
#include "schemas/record_column.h"

namespace kappa::operators {
namespace {

void collect_models(const ExprRef& expr, std::map<std::string, ModelRef>* models) {
  if (!expr) return;
  if (expr->kind == ExprKind::kPredict) (*models)[expr->model->facts().name] = expr->model;
  for (const ExprRef& arg : expr->args) collect_models(arg, models);
}

std::string optional_text(const std::optional<int64_t>& value) {
  return value ? absl::StrCat(*value) : "none";
}

std::string describe_window(const GroupWindow& window) {
  const std::string step = window.step_us > 0 ? absl::StrCat(" step_us=", window.step_us) : "";
  return absl::StrCat(std::string(window_name(window.kind)), "(#", window.event_time, step,
                      " size_us=", window.size_us, " offset_us=", window.offset_us,
                      " grace_us=", window.grace_us, ")");
}

std::string describe_call(const AggregateCall& call) {
  std::string text = std::string(aggregate_name(call.kind)) + "(";
  if (call.argument >= 0) absl::StrAppend(&text, "#", call.argument);
  if (call.by >= 0) absl::StrAppend(&text, " by #", call.by);
  if (call.half_life_us > 0) absl::StrAppend(&text, ", half_life_us=", call.half_life_us);
  if (call.kind == AggregateKind::kApproxQuantile) {
    absl::StrAppend(&text, ", ", to_text(Value::double_precision(call.quantile)));
  }
  absl::StrAppend(&text, ")");
  if (call.filter >= 0) absl::StrAppend(&text, " filter #", call.filter);
  return absl::StrCat(text, ":", to_string(call.result));
}

std::string describe_frame(const Frame& frame) {
  const char* unit = frame.unit == Frame::Unit::kRange ? "us" : " rows";
  return absl::StrCat("[-", frame.start, unit, ", -", frame.end, unit, "]");
}

std::string describe_call(const FrameCall& call) {
  std::string text = std::string(frame_function_name(call.function)) + "(";
  if (call.argument >= 0) absl::StrAppend(&text, "#", call.argument);
  if (call.distance != 0) absl::StrAppend(&text, ", ", call.distance);
  absl::StrAppend(&text, ")");
  if (call.filter >= 0) absl::StrAppend(&text, " filter #", call.filter);
  return absl::StrCat(text, " over ", describe_frame(call.frame), ":", to_string(call.result));
}

std::string describe_join(const char* kind, const JoinKey& key, bool outer) {
  return absl::StrCat(outer ? "left " : "", kind, " [", absl::StrJoin(key.left, ","), "] = [",
                      absl::StrJoin(key.right, ","), "]");
}

const char* emit_name(Emit emit) {
  return emit == Emit::kFinal ? "final" : "changes";
}

// How many of the columns that it reads are declared. The others, which every source has, come
// behind them and say nothing about it.
std::ptrdiff_t declared_columns(const Plan& plan, const SourceNode& op) {
  const schemas::Source& source = plan.sources[static_cast<size_t>(op.source)];
  return std::count_if(op.wanted.begin(), op.wanted.end(),
                       [&](int column) { return schemas::is_declared(source, column); });
}

struct Describe {
  const Plan& plan;

  std::string operator()(const SourceNode& op) const {
    const schemas::Source& source = plan.sources[static_cast<size_t>(op.source)];
    const std::vector<int> declared(op.wanted.begin(),
                                    op.wanted.begin() + declared_columns(plan, op));
    return absl::StrCat("source ", schemas::describe(source), " columns [",
                        absl::StrJoin(declared, ","), "]");
  }
  std::string operator()(const FilterNode& op) const {
    return absl::StrCat("filter ", describe(*op.predicate));
  }
  std::string operator()(const ProjectNode& op) const {
    return absl::StrCat("project ",
                        absl::StrJoin(op.exprs, ", ", [](std::string* out, const auto& e) {
                          absl::StrAppend(out, describe(*e));
                        }));
  }
  std::string operator()(const UnionNode&) const { return "union all"; }
  std::string operator()(const AggregateNode& op) const {
    std::string text = absl::StrCat("aggregate by [", absl::StrJoin(op.groups, ","), "]");
    if (op.window) absl::StrAppend(&text, " ", describe_window(*op.window));
    for (const AggregateCall& call : op.calls) absl::StrAppend(&text, " ", describe_call(call));
    return absl::StrCat(text, " emit=", emit_name(op.emit),
                        " retention_us=", optional_text(op.retention_us));
  }
  std::string operator()(const DistinctNode& op) const {
    return absl::StrCat("distinct by [", absl::StrJoin(op.key, ","), "]");
  }
  std::string operator()(const TopNNode& op) const {
    const auto order = absl::StrJoin(op.order, ",", [](std::string* out, const auto& by) {
      absl::StrAppend(out, "#", by.column, by.descending ? " desc" : "",
                      by.nulls_first ? " nulls first" : "");
    });
    return absl::StrCat("top ", op.limit, " by [", absl::StrJoin(op.key, ","), "] order [", order,
                        "]", op.ranked ? " ranked" : "");
  }
  std::string operator()(const ReorderNode& op) const {
    return absl::StrCat("reorder #", op.event_time);
  }
  std::string operator()(const SlidingNode& op) const {
    std::string text =
        absl::StrCat("sliding by [", absl::StrJoin(op.partition, ","), "] #", op.event_time);
    for (const FrameCall& call : op.calls) absl::StrAppend(&text, " ", describe_call(call));
    return absl::StrCat(text, " emit=", emit_name(op.emit), " horizon_us=", op.horizon_us,
                        op.notes_late ? " notes late" : "");
  }
  std::string operator()(const ArrangeNode& op) const {
    return absl::StrCat("arrange by [", absl::StrJoin(op.key, ","), "]");
  }
  std::string operator()(const LookupNode& op) const {
    std::string text = describe_join("lookup", op.key, op.outer);
    if (op.condition) absl::StrAppend(&text, " on ", describe(*op.condition));
    if (op.expiry) {
      absl::StrAppend(&text, " expires #", op.expiry->column, " + ", op.expiry->after_us, "us");
    }
    return text;
  }
  std::string operator()(const RulesNode& op) const {
    return absl::StrCat("rules at #", op.event_time);
  }
  std::string operator()(const RelationJoinNode& op) const {
    return absl::StrCat(describe_join("relation join", op.key, op.outer), " rows by [",
                        absl::StrJoin(op.left_id, ","), "] and [", absl::StrJoin(op.right_id, ","),
                        "]", op.condition ? absl::StrCat(" if ", describe(*op.condition)) : "");
  }
  std::string operator()(const IntervalJoinNode& op) const {
    return absl::StrCat(describe_join("interval join", op.key, op.outer), " right #", op.right_time,
                        " - left #", op.left_time, " in [", op.from_us, "us, ", op.to_us, "us]",
                        op.grace_us > 0 ? absl::StrCat(" grace=", op.grace_us, "us") : "");
  }
  std::string operator()(const ViewNode& op) const {
    return absl::StrCat(
        "view ", op.name, " key [", absl::StrJoin(op.key, ","), "]",
        op.by_record ? " by record" : "", op.hidden > 0 ? absl::StrCat(" hidden=", op.hidden) : "",
        " conflict=", static_cast<int>(op.conflict), " emit=", emit_name(op.emit),
        " event_time=", op.event_time ? absl::StrCat("#", *op.event_time) : "none",
        " retention_us=", optional_text(op.retention_us),
        op.expiry ? absl::StrCat(" expires #", op.expiry->column, "+", op.expiry->after_us, "us")
                  : "");
  }
  std::string operator()(const OutputNode& op) const {
    return absl::StrCat("output ", schemas::describe(plan.sources[static_cast<size_t>(op.sink)]));
  }
};

}  // namespace

std::string_view aggregate_name(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
      return "count";
    case AggregateKind::kSum:
      return "sum";
    case AggregateKind::kAvg:
      return "avg";
    case AggregateKind::kMin:
      return "min";
    case AggregateKind::kMax:
      return "max";
    case AggregateKind::kCountDistinct:
      return "count_distinct";
    case AggregateKind::kStddev:
      return "stddev";
    case AggregateKind::kStddevPop:
      return "stddev_pop";
    case AggregateKind::kFirst:
      return "first";
    case AggregateKind::kLast:
      return "last";
    case AggregateKind::kArgMin:
      return "arg_min";
    case AggregateKind::kArgMax:
      return "arg_max";
    case AggregateKind::kDecayedSum:
      return "decayed_sum";
    case AggregateKind::kApproxCountDistinct:
      return "approx_count_distinct";
    case AggregateKind::kApproxQuantile:
      return "approx_quantile";
  }
  return "?";
}

std::string_view window_name(GroupWindow::Kind kind) {
  switch (kind) {
    case GroupWindow::Kind::kTumble:
      return "tumble";
    case GroupWindow::Kind::kHop:
      return "hop";
    case GroupWindow::Kind::kCumulate:
      return "cumulate";
    case GroupWindow::Kind::kSession:
      return "session";
  }
  return "?";
}

std::string_view frame_function_name(FrameFunction function) {
  switch (function) {
    case FrameFunction::kCountStar:
    case FrameFunction::kCount:
      return "count";
    case FrameFunction::kSum:
      return "sum";
    case FrameFunction::kAvg:
      return "avg";
    case FrameFunction::kStddev:
      return "stddev";
    case FrameFunction::kStddevPop:
      return "stddev_pop";
    case FrameFunction::kCountDistinct:
      return "count_distinct";
    case FrameFunction::kMin:
      return "min";
    case FrameFunction::kMax:
      return "max";
    case FrameFunction::kFirstValue:
      return "first_value";
    case FrameFunction::kLastValue:
      return "last_value";
    case FrameFunction::kLag:
      return "lag";
    case FrameFunction::kIsLate:
      return "is_late";
  }
  return "?";
}

absl::StatusOr<Type> aggregate_result_type(AggregateKind kind, Type argument) {
  const auto refuse = [&](const char* takes) {
    return absl::InvalidArgumentError(absl::StrCat(std::string(aggregate_name(kind)), "(",
                                                   to_string(argument),
                                                   ") does not exist; it takes ", takes));
  };
  switch (kind) {
    case AggregateKind::kCountStar:
    case AggregateKind::kCount:
    case AggregateKind::kCountDistinct:
    case AggregateKind::kApproxCountDistinct:
      return Type::bigint();
    case AggregateKind::kStddev:
    case AggregateKind::kStddevPop:
    case AggregateKind::kDecayedSum:
    case AggregateKind::kApproxQuantile:
      if (argument.is_number()) return Type::double_precision();
      return refuse("a number");
    case AggregateKind::kFirst:
    case AggregateKind::kLast:
    case AggregateKind::kArgMin:
    case AggregateKind::kArgMax:
      return argument.id == TypeId::kNull ? Type::text() : argument;
    case AggregateKind::kSum:
      if (argument.id == TypeId::kInteger) return Type::bigint();
      if (argument.id == TypeId::kBigint) return Type::numeric(38, 0);
      if (argument.id == TypeId::kNumeric) return Type::numeric(38, argument.scale);
      if (argument.id == TypeId::kDouble) return Type::double_precision();
      return refuse("a number");
    case AggregateKind::kAvg:
      if (argument.is_integer()) return Type::numeric(38, 6);
      if (argument.id == TypeId::kNumeric) {
        return Type::numeric(38, std::min(38, argument.scale + 6));
      }
      if (argument.id == TypeId::kDouble) return Type::double_precision();
      return refuse("a number");
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      if (argument.id == TypeId::kBoolean || argument.id == TypeId::kNull) {
        return refuse("a number, text, bytea, a time or an interval");
      }
      return argument;
  }
  return refuse("something else");
}

const JoinKey* join_key(const PlanNode& node) {
  if (const auto* lookup = std::get_if<LookupNode>(&node.op)) return &lookup->key;
  if (const auto* rules = std::get_if<RulesNode>(&node.op)) return &rules->key;
  if (const auto* join = std::get_if<RelationJoinNode>(&node.op)) return &join->key;
  if (const auto* join = std::get_if<IntervalJoinNode>(&node.op)) return &join->key;
  return nullptr;
}

bool looks_up(const PlanNode& node) {
  return std::holds_alternative<LookupNode>(node.op) || std::holds_alternative<RulesNode>(node.op);
}

NodeId Plan::find_view(std::string_view name) const {
  for (const PlanNode& node : nodes) {
    const auto* view = std::get_if<ViewNode>(&node.op);
    if (view && view->name == name) return node.id;
  }
  return kNoNode;
}

std::vector<NodeId> Plan::views() const {
  std::vector<NodeId> views;
  for (const PlanNode& node : nodes) {
    if (std::holds_alternative<ViewNode>(node.op)) views.push_back(node.id);
  }
  return views;
}

const schemas::Source& sink_of(const Plan& plan, NodeId output) {
  return plan.sources[static_cast<size_t>(std::get<OutputNode>(plan.node(output).op).sink)];
}

std::set<std::string> compacted_topics(const Plan& plan) {
  std::set<std::string> topics;
  for (const schemas::Source& source : plan.sources) {
    if (source.upsert) topics.insert(source.topic);
  }
  return topics;
}

std::map<std::string, ModelRef> called_models(const PlanNode& node) {
  std::map<std::string, ModelRef> models;
  if (const auto* filter = std::get_if<FilterNode>(&node.op)) {
    collect_models(filter->predicate, &models);
  } else if (const auto* project = std::get_if<ProjectNode>(&node.op)) {
    for (const ExprRef& expr : project->exprs) collect_models(expr, &models);
  } else if (const auto* lookup = std::get_if<LookupNode>(&node.op)) {
    collect_models(lookup->condition, &models);
  } else if (const auto* join = std::get_if<RelationJoinNode>(&node.op)) {
    collect_models(join->condition, &models);
  }
  return models;
}

SqlPosition insert_position(const Plan& plan, NodeId output) {
  const int statement = std::get<OutputNode>(plan.node(output).op).statement;
  return plan.statements[static_cast<size_t>(statement)].position;
}

std::string describe(const Plan& plan, const PlanNode& node) {
  return std::visit(Describe{plan}, node.op);
}

uint64_t node_fingerprint(const Plan& plan, const PlanNode& node) {
  std::string text = describe(plan, node);
  const auto* source = std::get_if<SourceNode>(&node.op);
  const auto columns =
      source ? static_cast<size_t>(declared_columns(plan, *source)) : node.schema.size();
  for (const Field& field : std::span(node.schema).first(columns)) {
    absl::StrAppend(&text, "|", field.name, ":", to_string(field.type));
  }
  for (NodeId input : node.inputs) absl::StrAppend(&text, "<", plan.node(input).fingerprint);
  return hash_bytes(text.data(), text.size());
}

uint64_t fingerprint(const Plan& plan) {
  std::string text;
  for (const PlanNode& node : plan.nodes) {
    const bool ends =
        std::holds_alternative<ViewNode>(node.op) || std::holds_alternative<OutputNode>(node.op);
    if (ends) absl::StrAppend(&text, node.fingerprint, ";");
  }
  return hash_bytes(text.data(), text.size());
}

}  // namespace kappa::operators
