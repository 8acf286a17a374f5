#include "engine/runtime/explain.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/dataflow_shape.h"
#include "engine/types/text.h"
#include "engine/types/value.h"
#include "operators/functions.h"
#include "operators/model.h"
#include "operators/running_values.h"
#include "operators/windows.h"
#include "schemas/record_column.h"

namespace kappa::runtime {

using namespace operators;  // NOLINT: this file is about plan nodes

namespace {

std::vector<std::string> names_of(const std::vector<int>& columns, const Schema& schema) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (int column : columns) names.push_back(schema[static_cast<size_t>(column)].name);
  return names;
}

std::string list(const std::vector<int>& columns, const Schema& schema) {
  return absl::StrJoin(names_of(columns, schema), ", ");
}

std::string duration(int64_t us) {
  return absl::StrCat("'", to_text(Value{Type::interval(), us}), "'");
}

bool is_word(const std::string& name) {
  return !name.empty() &&
         (absl::ascii_isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_');
}

std::string call_to_sql(const std::string& name, const std::vector<std::string>& args) {
  if (is_word(name)) return absl::StrCat(name, "(", absl::StrJoin(args, ", "), ")");
  if (args.size() == 1) return absl::StrCat(name, args[0]);
  return absl::StrCat("(", absl::StrJoin(args, absl::StrCat(" ", name, " ")), ")");
}

std::string case_to_sql(const std::vector<std::string>& args) {
  std::string text = "CASE";
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    absl::StrAppend(&text, " WHEN ", args[i], " THEN ", args[i + 1]);
  }
  return absl::StrCat(text, " ELSE ", args.back(), " END");
}

// "windows of '1 hour' every '1 minute' of at, grace '1 second'"
std::string window_text(const GroupWindow& window, const Schema& input) {
  const bool session = window.kind == GroupWindow::Kind::kSession;
  std::string text = absl::StrCat(session ? "sessions with gaps of up to " : "windows of ",
                                  duration(window.size_us));
  if (window.kind == GroupWindow::Kind::kHop) {
    absl::StrAppend(&text, " every ", duration(window.step_us));
  } else if (window.kind == GroupWindow::Kind::kCumulate) {
    absl::StrAppend(&text, " growing by ", duration(window.step_us));
  }
  absl::StrAppend(&text, " of ", input[static_cast<size_t>(window.event_time)].name);
  if (window.grace_us > 0) absl::StrAppend(&text, ", grace ", duration(window.grace_us));
  return text;
}

// What a call keeps beside the row of its group or session, which `unit` says.
std::string beside_text(const AggregateCall& call, const Schema& input, bool retractions,
                        const std::string& unit) {
  const auto value = [&] { return input[static_cast<size_t>(call.argument)].name; };
  switch (call.kind) {
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      return retractions ? absl::StrCat("; a row a ", unit, " and ", value()) : "";
    case AggregateKind::kCountDistinct:
      return absl::StrCat("; a row a ", unit, " and ", value());
    case AggregateKind::kApproxQuantile:
      return absl::StrCat("; a row a ", unit, " and bucket of ", value());
    case AggregateKind::kApproxCountDistinct:
      return absl::StrCat("; a sketch a ", unit, ", of ", value());
    default:
      return "";
  }
}

// "sum(amount) [-'1 day', now]"
std::string frame_text(const FrameCall& call, const Schema& input) {
  const auto name = [&](int column) { return input[static_cast<size_t>(column)].name; };
  const auto back = [&](int64_t distance) {
    if (distance == 0) return std::string("now");
    return call.frame.unit == Frame::Unit::kRange ? absl::StrCat("-", duration(distance))
                                                  : absl::StrCat("-", distance, " rows");
  };
  std::string text = absl::StrCat(std::string(frame_function_name(call.function)), "(",
                                  call.argument < 0 ? "*" : name(call.argument));
  if (call.function == FrameFunction::kLag) absl::StrAppend(&text, ", ", call.distance);
  text += ")";
  if (call.filter >= 0) absl::StrAppend(&text, " FILTER (WHERE ", name(call.filter), ")");
  return absl::StrCat(text, " [", back(call.frame.start), ", ", back(call.frame.end), "]");
}

// Explains the nodes of one plan.
class Explainer {
 public:
  // Exchanges are there as soon as there is more than one worker.
  explicit Explainer(const Plan& plan) : plan_(plan), shape_(plan, 2) {}

  ExplainedNode view_or_output(NodeId id) const { return explain_node(id, true); }

 private:
  const Schema& input(const PlanNode& node) const { return plan_.node(node.inputs[0]).schema; }

  ExplainedNode explain_node(NodeId id, bool top) const {
    const PlanNode& node = plan_.node(id);
    ExplainedNode explained;
    explained.changelog = node.changelog;
    const auto* view = std::get_if<ViewNode>(&node.op);
    if (view && !top) {
      explained.operation = absl::StrCat("view ", view->name);
      return explained;
    }
    std::visit([&](const auto& op) { tell(node, op, &explained); }, node.op);
    explained.exchange = exchange_of(id);
    if (join_key(node)) {
      explained.exchange = exchange_of(node.inputs[0]);
      explained.right_exchange = exchange_of(node.inputs[1]);
    }
    for (NodeId from : node.inputs) {
      // What arranges a side of a join is told with the join.
      const bool arranged = std::holds_alternative<ArrangeNode>(plan_.node(from).op);
      explained.inputs.push_back(explain_node(arranged ? plan_.node(from).inputs[0] : from, false));
    }
    return explained;
  }

  std::optional<std::vector<std::string>> exchange_of(NodeId id) const {
    if (!shape_.exchanged(id)) return std::nullopt;
    const PlanNode& node = plan_.node(id);
    const bool output = std::holds_alternative<OutputNode>(node.op);
    return names_of(shape_.key_of(id), output ? node.schema : input(node));
  }

  // "a = x AND b = y": what a join equates.
  std::string equalities(const PlanNode& node) const {
    const JoinKey& key = *join_key(node);
    const auto left = names_of(key.left, plan_.node(node.inputs[0]).schema);
    const auto right = names_of(key.right, plan_.node(node.inputs[1]).schema);
    std::vector<std::string> pairs;
    for (size_t i = 0; i < left.size(); ++i)
      pairs.push_back(absl::StrCat(left[i], " = ", right[i]));
    return absl::StrJoin(pairs, " AND ");
  }

  void tell(const PlanNode& /*node*/, const SourceNode& op, ExplainedNode* out) const {
    const schemas::Source& source = plan_.sources[static_cast<size_t>(op.source)];
    out->operation = absl::StrCat("source ", source.name, " (topic ", source.topic, ", ",
                                  source.format == schemas::Format::kJson ? "JSON" : "Protobuf",
                                  "): ", list_names(op, source));
    if (!source.event_time) return;
    const auto readable = schemas::readable_columns(source);
    absl::StrAppend(&out->operation, "; watermark ",
                    readable[static_cast<size_t>(*source.event_time)].name);
    if (source.out_of_orderness_us > 0) {
      absl::StrAppend(&out->operation, " - ", duration(source.out_of_orderness_us));
    }
  }

  static std::string list_names(const SourceNode& op, const schemas::Source& source) {
    const auto readable = schemas::readable_columns(source);
    return absl::StrJoin(op.wanted, ", ", [&](std::string* text, int column) {
      absl::StrAppend(text, readable[static_cast<size_t>(column)].name);
    });
  }

  void tell(const PlanNode& node, const FilterNode& op, ExplainedNode* out) const {
    out->operation = absl::StrCat("filter ", to_sql(*op.predicate, input(node)));
  }

  void tell(const PlanNode& node, const ProjectNode& op, ExplainedNode* out) const {
    std::vector<std::string> shown;
    for (const ExprRef& expr : op.exprs) {
      const std::string& name = node.schema[shown.size()].name;
      const std::string text = to_sql(*expr, input(node));
      shown.push_back(text == name ? name : absl::StrCat(text, " AS ", name));
    }
    out->operation = absl::StrCat("project ", absl::StrJoin(shown, ", "));
  }

  void tell(const PlanNode& node, const AggregateNode& op, ExplainedNode* out) const {
    const Schema& from = input(node);
    std::vector<std::string> key = names_of(op.groups, from);
    out->operation = "aggregate";
    std::string unit = "group";
    if (!key.empty()) absl::StrAppend(&out->operation, " by ", absl::StrJoin(key, ", "));
    if (op.window) {
      absl::StrAppend(&out->operation, " over ", window_text(*op.window, from));
      key.emplace_back(named_by_end(*op.window) ? "window_end" : "window_start");
      if (op.window->kind == GroupWindow::Kind::kSession) unit = "session";
      out->late = "rows of windows that have closed are refused";
    }
    absl::StrAppend(
        &out->operation, ": ",
        absl::StrJoin(op.calls, ", ", [&](std::string* text, const AggregateCall& call) {
          absl::StrAppend(text, to_sql(call, from));
        }));
    if (op.emit == Emit::kFinal)
      absl::StrAppend(&out->operation, "; given out when the window closes");
    out->state =
        key.empty() ? "one row" : absl::StrCat("a row a ", unit, ", by ", absl::StrJoin(key, ", "));
    const bool retractions = plan_.node(node.inputs[0]).changelog;
    // Calls of one argument share what they keep, so it is told once.
    std::set<std::string> told;
    for (const AggregateCall& call : op.calls) {
      const std::string beside = beside_text(call, from, retractions, unit);
      if (told.insert(beside).second) out->state += beside;
    }
    if (op.retention_us) absl::StrAppend(&out->state, "; kept for ", duration(*op.retention_us));
  }

  void tell(const PlanNode& node, const DistinctNode& op, ExplainedNode* out) const {
    out->operation = absl::StrCat("distinct, the first row by ", list(op.key, node.schema));
    out->state = absl::StrCat("a row a key, by ", list(op.key, node.schema));
  }

  void tell(const PlanNode& node, const TopNNode& op, ExplainedNode* out) const {
    const Schema& from = input(node);
    const std::string key = list(op.key, from);
    const std::string order =
        absl::StrJoin(op.order, ", ", [&](std::string* text, const TopNNode::Order& by) {
          absl::StrAppend(text, from[static_cast<size_t>(by.column)].name,
                          by.descending ? " DESC" : "", nulls_text(by.descending, by.nulls_first));
        });
    out->operation = absl::StrCat("top ", op.limit, key.empty() ? "" : " by ", key,
                                  order.empty() ? ", as they come" : ", ordered by ", order,
                                  op.ranked ? "; numbered" : "");
    const bool all = plan_.node(node.inputs[0]).changelog;
    const std::string by = key.empty() ? "" : absl::StrCat(", by ", key);
    out->state = all             ? absl::StrCat("all rows", by)
                 : op.limit == 1 ? absl::StrCat("a row a key", by)
                                 : absl::StrCat("the first ", op.limit, " rows of each key", by);
  }

  void tell(const PlanNode& node, const ReorderNode& op, ExplainedNode* out) const {
    out->operation = absl::StrCat("reorder by ", list({op.event_time}, node.schema));
    out->state = "the rows that wait for the watermark, by record";
    out->late = "rows below the watermark are refused";
  }

  void tell(const PlanNode& node, const SlidingNode& op, ExplainedNode* out) const {
    const std::string partition = list(op.partition, node.schema);
    out->operation =
        absl::StrCat("over ", partition.empty() ? "all rows" : partition, ": ",
                     absl::StrJoin(op.calls, ", ", [&](std::string* text, const FrameCall& call) {
                       absl::StrAppend(text, frame_text(call, input(node)));
                     }));
    const bool running = is_running(op, input(node));
    out->state = absl::StrCat(running ? "the events that frames may hold, in a log, by "
                                      : "the rows that frames may hold, in memory, by ",
                              partition.empty() ? "" : absl::StrCat(partition, ", "),
                              list({op.event_time}, node.schema), ", number");
    const bool values = std::ranges::any_of(op.calls, [](const FrameCall& call) {
      return call.function != FrameFunction::kIsLate && !picks_event(call.function);
    });
    if (running && values) absl::StrAppend(&out->state, "; running values, made from them");
    if (op.notes_late) out->late = "rows below the watermark are answered and noted";
  }

  void tell(const PlanNode& node, const LookupNode& op, ExplainedNode* out) const {
    const Schema& right = plan_.node(node.inputs[1]).schema;
    out->operation = absl::StrCat(op.outer ? "left " : "", "lookup on ", equalities(node));
    if (op.condition) absl::StrAppend(&out->operation, " AND ", to_sql(*op.condition, node.schema));
    out->state = absl::StrCat("the right side's rows, by ", list(op.key.right, right));
    if (!op.expiry) return;
    const std::string& time = right[static_cast<size_t>(op.expiry->column)].name;
    absl::StrAppend(&out->state, "; until ", time, " + ", duration(op.expiry->after_us));
  }

  void tell(const PlanNode& node, const RulesNode& op, ExplainedNode* out) const {
    out->operation = absl::StrCat("apply rules as they are at each row, valid at ",
                                  list({op.event_time}, node.schema));
    out->state = "the rules, by rule_id";
  }

  void tell(const PlanNode& node, const ViewNode& op, ExplainedNode* out) const {
    const std::string key =
        op.by_record ? "topic, partition, offset, ordinal" : list(op.key, node.schema);
    out->operation = absl::StrCat("view ", op.name, " (",
                                  absl::StrJoin(node.schema, ", ",
                                                [](std::string* text, const Field& field) {
                                                  absl::StrAppend(text, field.name);
                                                }),
                                  ")");
    out->state = shape_.reads_aggregate(node)
                     ? "that of the aggregate"
                     : absl::StrCat("a row a key, by ", key.empty() ? "nothing" : key);
    if (op.conflict == ViewNode::Conflict::kFirstWins)
      absl::StrAppend(&out->state, "; the first row of a key stays");
    if (op.conflict == ViewNode::Conflict::kLatestWins)
      absl::StrAppend(&out->state, "; the latest row of a key replaces");
    if (op.retention_us) absl::StrAppend(&out->state, "; kept for ", duration(*op.retention_us));
  }

  void tell(const PlanNode& node, const OutputNode& /*op*/, ExplainedNode* out) const {
    const schemas::Source& sink = sink_of(plan_, node.id);
    out->operation = absl::StrCat("output to topic ", sink.topic);
    if (sink.upsert) {
      absl::StrAppend(&out->operation, ": upserts and tombstones by ",
                      list(sink.primary_key, node.schema));
    }
    out->state = "the outbox, until it is published";
  }

  // "account = payer AND …", of the left side and the right one.
  std::string equality(const PlanNode& node, const JoinKey& key) const {
    const auto left = names_of(key.left, plan_.node(node.inputs[0]).schema);
    const auto right = names_of(key.right, plan_.node(node.inputs[1]).schema);
    std::vector<std::string> pairs;
    for (size_t i = 0; i < left.size(); ++i) {
      pairs.push_back(absl::StrCat(left[i], " = ", right[i]));
    }
    return absl::StrJoin(pairs, " AND ");
  }

  void tell(const PlanNode& node, const RelationJoinNode& op, ExplainedNode* out) const {
    out->operation =
        absl::StrCat(op.outer ? "left join" : "join", " of relations on ", equality(node, op.key));
    if (op.condition) absl::StrAppend(&out->operation, " AND ", to_sql(*op.condition, node.schema));
    out->state = absl::StrCat("a row a row of the left side, by its key ",
                              list(op.left_id, plan_.node(node.inputs[0]).schema),
                              ", and of the right side, by its key ",
                              list(op.right_id, plan_.node(node.inputs[1]).schema));
  }

  void tell(const PlanNode& node, const IntervalJoinNode& op, ExplainedNode* out) const {
    const std::string& left =
        plan_.node(node.inputs[0]).schema[static_cast<size_t>(op.left_time)].name;
    const std::string& right =
        plan_.node(node.inputs[1]).schema[static_cast<size_t>(op.right_time)].name;
    out->operation = absl::StrCat(op.outer ? "left join" : "join", " by time on ",
                                  equality(node, op.key), " AND ", right, " - ", left, " BETWEEN ",
                                  duration(op.from_us), " AND ", duration(op.to_us));
    if (op.outer) {
      absl::StrAppend(&out->operation, "; a row without a match is given out once none can come");
    }
    out->state = "the rows of both sides that others may still match, by key and event time";
    out->late = op.grace_us > 0 ? absl::StrCat("rows more than ", duration(op.grace_us),
                                               " below the watermark are refused")
                                : "rows below the watermark are refused";
  }

  // Whatever has no words of its own.
  template <typename Op>
  void tell(const PlanNode& node, const Op& /*op*/, ExplainedNode* out) const {
    out->operation = describe(plan_, node);
  }

  const Plan& plan_;
  DataflowShape shape_;
};

// "by store"; of a join "left by customer; right by id".
std::string exchange_text(const ExplainedNode& node) {
  const auto text = [](const std::vector<std::string>& columns) {
    return columns.empty() ? "to one worker" : absl::StrCat("by ", absl::StrJoin(columns, ", "));
  };
  const bool join = node.inputs.size() == 2;
  std::vector<std::string> sides;
  if (node.exchange) sides.push_back((join ? "left " : "") + text(*node.exchange));
  if (node.right_exchange) sides.push_back("right " + text(*node.right_exchange));
  return absl::StrJoin(sides, "; ");
}

void append_tree(const ExplainedNode& node, const std::string& first, const std::string& rest,
                 std::string* out) {
  const char* edge = node.of_query ? "" : node.changelog ? "  [changelog]" : "  [append-only]";
  absl::StrAppend(out, first, node.operation, edge, "\n");
  const std::string detail = absl::StrCat(rest, node.inputs.empty() ? "   " : "│  ");
  const std::string exchange = exchange_text(node);
  if (!exchange.empty()) absl::StrAppend(out, detail, "exchange: ", exchange, "\n");
  if (!node.state.empty()) absl::StrAppend(out, detail, "state: ", node.state, "\n");
  if (!node.late.empty()) absl::StrAppend(out, detail, "late: ", node.late, "\n");
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool last = i + 1 == node.inputs.size();
    append_tree(node.inputs[i], rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "), out);
  }
}

}  // namespace

// "count(DISTINCT x) FILTER (WHERE y)"
std::string to_sql(const AggregateCall& call, const Schema& input) {
  const auto name = [&](int column) { return input[static_cast<size_t>(column)].name; };
  const bool distinct = call.kind == AggregateKind::kCountDistinct;
  std::string text =
      distinct ? "count(DISTINCT " : absl::StrCat(std::string(aggregate_name(call.kind)), "(");
  absl::StrAppend(&text, call.argument < 0 ? "*" : name(call.argument));
  const bool by_time = call.kind == AggregateKind::kFirst || call.kind == AggregateKind::kLast;
  if (call.by >= 0 && call.half_life_us == 0 && !by_time) {
    absl::StrAppend(&text, ", ", name(call.by));
  }
  if (call.half_life_us > 0) absl::StrAppend(&text, ", ", duration(call.half_life_us));
  if (call.kind == AggregateKind::kApproxQuantile) {
    absl::StrAppend(&text, ", ", to_text(Value::double_precision(call.quantile)));
  }
  text += ")";
  if (call.filter >= 0) absl::StrAppend(&text, " FILTER (WHERE ", name(call.filter), ")");
  return text;
}

std::string nulls_text(bool descending, bool nulls_first) {
  if (nulls_first == descending) return "";
  return nulls_first ? " NULLS FIRST" : " NULLS LAST";
}

std::string to_sql(const Expr& expr, const Schema& input) {
  std::vector<std::string> args;
  for (const ExprRef& arg : expr.args) args.push_back(to_sql(*arg, input));
  switch (expr.kind) {
    case ExprKind::kColumn:
      return input[static_cast<size_t>(expr.column)].name;
    case ExprKind::kConstant: {
      if (expr.constant.is_null()) return "NULL";
      const bool bare = expr.type.is_integer() || expr.type.id == TypeId::kNumeric ||
                        expr.type.id == TypeId::kDouble || expr.type.id == TypeId::kBoolean;
      const std::string text = to_text(expr.constant);
      return bare ? text : absl::StrCat("'", text, "'");
    }
    case ExprKind::kCast:
      return absl::StrCat(expr.lenient ? "try_cast(" : "CAST(", args[0], " AS ",
                          to_string(expr.type), ")");
    case ExprKind::kCall:
      return call_to_sql(std::string(expr.function->name), args);
    case ExprKind::kCase:
      return case_to_sql(args);
    case ExprKind::kAnd:
      return absl::StrCat("(", absl::StrJoin(args, " AND "), ")");
    case ExprKind::kOr:
      return absl::StrCat("(", absl::StrJoin(args, " OR "), ")");
    case ExprKind::kNot:
      return absl::StrCat("NOT ", args[0]);
    case ExprKind::kIsNull:
      return absl::StrCat("(", args[0], " IS NULL)");
    case ExprKind::kCoalesce:
      return absl::StrCat("coalesce(", absl::StrJoin(args, ", "), ")");
    case ExprKind::kPredict:
      args.insert(args.begin(), absl::StrCat("'", expr.model->facts().name, "'"));
      return call_to_sql("predict", args);
  }
  return "?";
}

ExplainedNode explain(const Plan& plan, NodeId node) {
  return Explainer(plan).view_or_output(node);
}

std::string to_text(const ExplainedNode& node) {
  std::string text;
  append_tree(node, "", "", &text);
  return text;
}

}  // namespace kappa::runtime
