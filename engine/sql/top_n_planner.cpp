#include "engine/sql/top_n_planner.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/projected.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;
using operators::NodeId;
using operators::TopNNode;

namespace {

// Each of them may have to be given out again when a row comes.
constexpr int64_t kRowsMax = 10'000;

void add_once(int column, std::vector<int>* columns) {
  if (std::find(columns->begin(), columns->end(), column) == columns->end()) {
    columns->push_back(column);
  }
}

// A projection to what the SELECT list, the key and the order read; the TopN; and a projection to
// the SELECT list.
NodeId plan_top(PlanBuilder& builder, const BoundSelect& bound, const std::vector<ExprRef>& key,
                TopNNode op, NodeId input) {
  Projected read;
  std::vector<int> shown;
  for (size_t i = 0; i < bound.outputs.size(); ++i) {
    shown.push_back(bound.row_number == i ? -1 : read.add(bound.outputs[i].expr));
  }
  for (const ExprRef& expr : key) add_once(read.add(expr), &op.key);
  for (const RankOrder& by : bound.ranking->order) {
    op.order.push_back({read.add(by.expr), by.descending, by.nulls_first});
  }
  op.position = bound.ranking->position;
  const NodeId rows = builder.project(input, read.take());
  const auto width = static_cast<int>(builder.node(rows).schema.size());
  const NodeId top = builder.top_n(rows, std::move(op));
  std::vector<ExprRef> exprs;
  for (size_t i = 0; i < shown.size(); ++i) {
    const int column = shown[i] < 0 ? width : shown[i];
    exprs.push_back(operators::column_expr(column, bound.outputs[i].expr->type));
  }
  return builder.project(top, std::move(exprs));
}

Relation changing_rows(const BoundSelect& bound, NodeId node) {
  Relation relation;
  relation.node = node;
  relation.changelog = true;
  for (const OutputColumn& output : bound.outputs) {
    relation.columns.push_back({output.name, output.expr->type});
  }
  return relation;
}

// The output that shows an expression, or -1.
int output_of(const BoundSelect& bound, const ExprRef& expr) {
  const auto shown =
      std::find_if(bound.outputs.begin(), bound.outputs.end(),
                   [&](const OutputColumn& output) { return same_meaning(output.expr, expr); });
  return shown == bound.outputs.end() ? -1 : static_cast<int>(shown - bound.outputs.begin());
}

// Where the outputs show columns of the relation that is read, or the first that they do not.
struct ShownColumns {
  std::vector<int> outputs;
  int missing = -1;
};
ShownColumns shown_columns(const Relation& relation, const BoundSelect& bound,
                           const std::vector<int>& columns) {
  ShownColumns shown;
  for (const int column : columns) {
    const Type type = relation.columns[static_cast<size_t>(column)].type;
    const int output = output_of(bound, operators::column_expr(column, type));
    if (output < 0) {
      shown.missing = column;
      return shown;
    }
    shown.outputs.push_back(output);
  }
  return shown;
}

// ---- WHERE rn <= 3 --------------------------------------------------------------------------

void add_parts(const ExprRef& condition, std::vector<ExprRef>* parts) {
  if (condition->kind != ExprKind::kAnd) {
    parts->push_back(condition);
    return;
  }
  for (const ExprRef& arg : condition->args) add_parts(arg, parts);
}

std::optional<int64_t> whole_number(const Expr& expr) {
  if (expr.kind != ExprKind::kConstant || expr.constant.is_null()) return std::nullopt;
  if (expr.type.id == TypeId::kInteger) return std::get<int32_t>(expr.constant.data);
  if (expr.type.id == TypeId::kBigint) return std::get<int64_t>(expr.constant.data);
  return std::nullopt;
}

// What a condition says about the number: it is at least, at most, or both.
struct NumberBound {
  std::optional<int64_t> least;
  std::optional<int64_t> most;
};

NumberBound number_bound(const Expr& condition, int column) {
  if (condition.kind != ExprKind::kCall || condition.args.size() != 2) return {};
  std::string_view name = condition.function->name;
  const auto is_number = [&](const ExprRef& side) {
    return is_column(side) && side->column == column;
  };
  const bool forth = is_number(condition.args[0]);
  if (!forth && !is_number(condition.args[1])) return {};
  const auto number = whole_number(*condition.args[forth ? 1 : 0]);
  if (!number) return {};
  if (name == "=") return {.least = number, .most = number};
  if (!forth) name = name == "<" ? ">" : name == "<=" ? ">=" : name == ">" ? "<" : "<=";
  if (name == "<=") return {.least = {}, .most = number};
  if (name == "<") return {.least = {}, .most = *number - 1};
  if (name == ">=") return {.least = number, .most = {}};
  if (name == ">") return {.least = *number + 1, .most = {}};
  return {};
}

absl::Status check_limit(int64_t limit, size_t at) {
  if (limit < 1) return fault(at, "no row has this number: they begin at 1", "write rn <= 3");
  if (limit <= kRowsMax) return absl::OkStatus();
  return fault(at, absl::StrCat("a key keeps ", kRowsMax, " rows at most"), "write a lower number");
}

}  // namespace

Relation plan_numbered(PlanBuilder& builder, const BoundSelect& bound, NodeId input) {
  const Ranking& ranking = *bound.ranking;
  TopNNode op;
  op.ranked = true;
  const NodeId node = plan_top(builder, bound, ranking.partition, std::move(op), input);
  Relation relation = changing_rows(bound, node);
  Relation::Numbered numbered{.column = static_cast<int>(*bound.row_number),
                              .partition = std::vector<int>(),
                              .position = ranking.position};
  for (const ExprRef& expr : ranking.partition) {
    const int output = output_of(bound, expr);
    if (output < 0) numbered.partition.reset();
    if (numbered.partition) add_once(output, &*numbered.partition);
  }
  relation.numbered = std::move(numbered);
  return relation;
}

Relation plan_first(PlanBuilder& builder, const BoundSelect& bound, const std::vector<int>& key,
                    NodeId input) {
  std::vector<ExprRef> exprs;
  exprs.reserve(key.size());
  for (int output : key) exprs.push_back(bound.outputs[static_cast<size_t>(output)].expr);
  TopNNode op;
  op.limit = 1;
  const NodeId node = plan_top(builder, bound, exprs, std::move(op), input);
  Relation relation = changing_rows(bound, node);
  relation.key = key;
  return relation;
}

absl::StatusOr<int64_t> take_row_limit(const Relation& numbered, const SourceText& text,
                                       ExprRef* where) {
  const int column = numbered.numbered->column;
  const std::string& name = numbered.columns[static_cast<size_t>(column)].name;
  std::vector<ExprRef> parts;
  if (*where) add_parts(*where, &parts);
  std::optional<int64_t> limit;
  size_t at = 0;
  for (const ExprRef& part : parts) {
    const auto most = number_bound(*part, column).most;
    if (!most || (limit && *limit <= *most)) continue;
    limit = most;
    at = text.offset(part->position);
  }
  if (!limit) {
    return fault(
        text.offset(numbered.numbered->position),
        absl::StrCat("ROW_NUMBER() numbers rows without end: nothing bounds \"", name, "\""),
        absl::StrCat("write WHERE ", name, " <= 3 in the query that reads it"));
  }
  if (const absl::Status checked = check_limit(*limit, at); !checked.ok()) return checked;
  std::erase_if(parts, [&](const ExprRef& part) {
    const NumberBound bound = number_bound(*part, column);
    const bool says_nothing = (bound.least || bound.most) && bound.least.value_or(1) <= 1 &&
                              bound.most.value_or(*limit) >= *limit;
    return says_nothing;
  });
  if (parts.empty()) {
    *where = nullptr;
  } else if (parts.size() == 1) {
    *where = parts[0];
  } else {
    *where = make_expr(ExprKind::kAnd, Type::boolean(), (*where)->position, std::move(parts));
  }
  return *limit;
}

NodeId read_limited(PlanBuilder& builder, const Relation& numbered, int64_t limit, bool ranked) {
  const operators::PlanNode projection = builder.node(numbered.node);
  const operators::PlanNode unlimited = builder.node(projection.inputs[0]);
  auto op = std::get<TopNNode>(unlimited.op);
  op.limit = limit;
  op.ranked = ranked;
  const NodeId top = builder.top_n(unlimited.inputs[0], std::move(op));
  auto exprs = std::get<operators::ProjectNode>(projection.op).exprs;
  if (!ranked) {
    exprs[static_cast<size_t>(numbered.numbered->column)] =
        operators::constant_expr(Value::null(Type::bigint()));
  }
  return builder.project(top, std::move(exprs), projection.event_time);
}

LimitedKey find_limited_key(const Relation& numbered, const BoundSelect& bound, int64_t limit) {
  LimitedKey found;
  const auto& partition = numbered.numbered->partition;
  ShownColumns of_partition;
  if (partition) of_partition = shown_columns(numbered, bound, *partition);
  const bool partitioned = partition && of_partition.missing < 0;
  const int number = numbered.numbered->column;
  if (partitioned && limit == 1) {
    found.key = of_partition.outputs;
    return found;
  }
  const ShownColumns of_number = shown_columns(numbered, bound, {number});
  if (partitioned && of_number.missing < 0) {
    found.key = of_partition.outputs;
    found.key->push_back(of_number.outputs[0]);
    return found;
  }
  if (numbered.key) {
    const ShownColumns of_rows = shown_columns(numbered, bound, *numbered.key);
    if (of_rows.missing < 0) {
      found.key = of_rows.outputs;
      return found;
    }
  }
  if (partitioned) {
    found.key = of_partition.outputs;
    found.key->push_back(static_cast<int>(bound.outputs.size()));
    found.adds_number = true;
    return found;
  }
  found.missing =
      partition ? absl::StrCat("column \"",
                               numbered.columns[static_cast<size_t>(of_partition.missing)].name,
                               "\", which the rows are partitioned by,")
                : "what the rows are partitioned by";
  return found;
}

const TopNNode* find_unlimited(const PlanBuilder& builder, NodeId node) {
  const operators::PlanNode& at = builder.node(node);
  const auto* top = std::get_if<TopNNode>(&at.op);
  if (top && top->limit == 0) return top;
  if (std::holds_alternative<operators::ViewNode>(at.op)) return nullptr;
  for (const NodeId input : at.inputs) {
    if (const TopNNode* found = find_unlimited(builder, input)) return found;
  }
  return nullptr;
}

}  // namespace kappa::sql
