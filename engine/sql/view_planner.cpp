#include "engine/sql/view_planner.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/group_planner.h"
#include "engine/sql/over_planner.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::NodeId;
using operators::ViewNode;

namespace {

// The columns of FROM that the SELECT reads before its rows are grouped; those of a window are none
// of them.
std::set<int> used_columns(const FromClause& from, const BoundSelect& bound) {
  std::set<int> used;
  const auto use = [&](const ExprRef& expr) {
    if (expr) collect_columns(*expr, &used);
  };
  use(bound.where);
  if (from.window) use(from.window->event_time);
  for (const GroupColumn& group : bound.groups) use(group.expr);
  for (const AggregateExpr& aggregate : bound.aggregates) {
    use(aggregate.argument);
    use(aggregate.filter);
  }
  for (const OverExpr& over : bound.overs) {
    use(over.argument);
    use(over.filter);
    for (const ExprRef& expr : over.partition) use(expr);
  }
  if (!bound.overs.empty()) used.insert(*from.relation->event_time());
  if (!bound.grouped) {
    for (const OutputColumn& output : bound.outputs) use(output.expr);
  }
  used.erase(used.lower_bound(from.window_start()), used.end());
  return used;
}

NodeId read(PlanBuilder& builder, const Relation& relation) {
  return relation.source ? builder.read(*relation.source) : relation.node;
}

// FROM's rows for which WHERE is true, with those of its columns that are used: `moved` says where
// they are now.
NodeId plan_where(PlanBuilder& builder, const FromClause& from, const BoundSelect& bound,
                  std::map<int, int>* moved) {
  std::vector<ExprRef> columns;
  for (int column : used_columns(from, bound)) {
    (*moved)[column] = static_cast<int>(columns.size());
    columns.push_back(
        operators::column_expr(column, from.relation->columns[static_cast<size_t>(column)].type));
  }
  const NodeId narrow = builder.project(read(builder, *from.relation), std::move(columns));
  return builder.filter(narrow,
                        move_columns(bound.where, [&](int column) { return moved->at(column); }));
}

// WHERE done: FROM without the columns that nothing uses, and the clauses that read what is left.
void apply_where(PlanBuilder& builder, const FromClause& from, BoundSelect& bound, NodeId* input,
                 ExprRef* event_time) {
  if (!bound.where) return;
  std::map<int, int> moved;
  *input = plan_where(builder, from, bound, &moved);
  const auto move = [&](ExprRef& expr) {
    if (!expr) return;
    expr = move_columns(expr, [&](int column) {
      return column >= from.window_start() ? column : moved.at(column);
    });
  };
  if (*event_time) move(*event_time);
  for (GroupColumn& group : bound.groups) move(group.expr);
  for (AggregateExpr& aggregate : bound.aggregates) {
    move(aggregate.argument);
    move(aggregate.filter);
  }
  for (OverExpr& over : bound.overs) {
    move(over.argument);
    move(over.filter);
    for (ExprRef& expr : over.partition) move(expr);
  }
  if (!bound.grouped) {
    for (OutputColumn& output : bound.outputs) move(output.expr);
  }
  bound.where = nullptr;
}

// A window's columns come to be with the group: what is computed before cannot read them.
absl::Status check_window_columns(const FromClause& from, const BoundSelect& bound,
                                  const SourceText& text) {
  const auto of_window = [&](int column) { return column >= from.window_start(); };
  std::vector<ExprRef> before = {bound.where};
  bool grouped = false;
  for (const GroupColumn& group : bound.groups) {
    if (is_column(group.expr) && of_window(group.expr->column)) {
      grouped = true;
    } else {
      before.push_back(group.expr);
    }
  }
  for (const AggregateExpr& aggregate : bound.aggregates) {
    before.push_back(aggregate.argument);
    before.push_back(aggregate.filter);
  }
  for (const ExprRef& expr : before) {
    const operators::Expr* column = expr ? find_column(*expr, of_window) : nullptr;
    if (!column) continue;
    return fault(text.offset(column->position),
                 "a window's columns can only be grouped by and selected",
                 "group by window_start, and compute with it in the SELECT list or in a view over "
                 "this one");
  }
  if (grouped) return absl::OkStatus();
  return fault(*from.window->node, "tumble() needs GROUP BY window_start",
               "add window_start to GROUP BY");
}

// Where an output shows column `column` of what is below it, or -1.
int output_of(const BoundSelect& bound, int column) {
  for (size_t i = 0; i < bound.outputs.size(); ++i) {
    const ExprRef& expr = bound.outputs[i].expr;
    if (is_column(expr) && expr->column == column) return static_cast<int>(i);
  }
  return -1;
}

// The key of a view over rows as they are: that of its input, if all of it is selected.
void keep_key(const Relation& input, const BoundSelect& bound, const Node& select,
              Relation* relation) {
  if (!input.key) {
    relation->no_key_reason = input.no_key_reason;
    relation->no_key_hint = input.no_key_hint;
    relation->no_key_offset = input.no_key_offset;
    return;
  }
  std::vector<int> key;
  for (int column : *input.key) {
    const int shown = output_of(bound, column);
    if (shown >= 0) {
      key.push_back(shown);
      continue;
    }
    const std::string& name = input.columns[static_cast<size_t>(column)].name;
    relation->no_key_reason =
        absl::StrCat("the key column \"", name, "\" of \"", input.name, "\" is not selected");
    relation->no_key_hint = absl::StrCat("add ", name, " to the SELECT list");
    relation->no_key_offset =
        bound.outputs.empty() ? select.offset : bound.outputs.front().node->offset;
    return;
  }
  relation->key = std::move(key);
  relation->conflict = input.conflict;
}

}  // namespace

// The SELECTs of a UNION ALL, or the one that `select` is; the tables of their WITHs are planned.
absl::Status ViewPlanner::bind_branches(const Node& select, std::vector<Branch>* branches) {
  const NestedQueries::Scope scope(nested_);
  KAPPA_RETURN_IF_ERROR(nested_.declare_with(select));
  if (select.text("op") == "SETOP_NONE") {
    KAPPA_ASSIGN_OR_RETURN(Branch branch, bind_branch(select));
    branches->push_back(std::move(branch));
    return absl::OkStatus();
  }
  if (select.text("op") != "SETOP_UNION" || !select.flag("all")) {
    return not_supported(select, absl::StrCat("SelectStmt.op=", std::string(select.text("op"))),
                         where_);
  }
  KAPPA_RETURN_IF_ERROR(expect_only(select,
                                    {{"op"},
                                     {"all"},
                                     {"larg"},
                                     {"rarg"},
                                     {"withClause"},
                                     {"limitOption", "LIMIT_OPTION_DEFAULT"}},
                                    where_));
  KAPPA_RETURN_IF_ERROR(bind_branches(*select.child("larg"), branches));
  return bind_branches(*select.child("rarg"), branches);
}

absl::StatusOr<Relation> ViewPlanner::plan(const Node& select) {
  std::vector<Branch> branches;
  KAPPA_RETURN_IF_ERROR(bind_branches(select, &branches));
  if (branches.size() == 1) return plan_branch(branches.front(), with_hidden_key_);
  KAPPA_RETURN_IF_ERROR(unify_branches(branches));
  for (const Branch& branch : branches) {
    if (branch.distinct) {
      return fault(*branch.bound.outputs.front().node,
                   "DISTINCT in a branch of UNION ALL is not supported yet",
                   "make a view of the branch, and unite that");
    }
    if (emission_.emit != operators::Emit::kFinal || branch.bound.overs.empty()) continue;
    return fault(text_.offset(branch.bound.overs.front().position),
                 "OVER with emit = 'final' in a branch of UNION ALL is not supported yet",
                 "make a view of the branch, and unite that");
  }
  return plan_union(branches);
}

absl::StatusOr<ViewPlanner::Branch> ViewPlanner::bind_branch(const Node& select) {
  const auto distinct = select.list("distinctClause");
  const auto order = select.list("sortClause");
  if (!distinct.empty() && !distinct.front().kind.empty() && !order.empty()) {
    return fault(order.front(), "DISTINCT ON with ORDER BY is not supported yet",
                 "without it, the first row in the order of the log is the one");
  }
  KAPPA_RETURN_IF_ERROR(expect_only(select,
                                    {{"distinctClause"},
                                     {"targetList"},
                                     {"fromClause"},
                                     {"whereClause"},
                                     {"groupClause"},
                                     {"havingClause"},
                                     {"withClause"},
                                     {"windowClause"},
                                     {"limitOption", "LIMIT_OPTION_DEFAULT"},
                                     {"op", "SETOP_NONE"}},
                                    where_));
  Branch branch{.select = &select};
  KAPPA_ASSIGN_OR_RETURN(branch.from, bind_from(select, nested_, text_));
  OverCalls over(select, branch.from.relation->event_time());
  KAPPA_ASSIGN_OR_RETURN(branch.bound,
                         SelectBinder(text_, branch.from.scope, select, &over).bind());
  if (!branch.bound.overs.empty()) {
    KAPPA_RETURN_IF_ERROR(check_over(branch));
  }
  if (const Node* unused = over.unused_window()) {
    return fault(*unused,
                 absl::StrCat("no OVER names window \"", std::string(unused->text("name")), "\""),
                 "leave it out");
  }
  if (branch.bound.outputs.empty()) return fault(select, "SELECT names no column");
  if (!distinct.empty()) KAPPA_RETURN_IF_ERROR(bind_distinct(branch));
  if (branch.from.window) {
    KAPPA_RETURN_IF_ERROR(check_window_columns(branch.from, branch.bound, text_));
  }
  return branch;
}

absl::Status ViewPlanner::unify_branches(std::vector<Branch>& branches) const {
  const size_t columns = branches.front().bound.outputs.size();
  for (const Branch& branch : branches) {
    const auto& outputs = branch.bound.outputs;
    if (outputs.size() == columns) continue;
    return fault(*outputs.front().node, absl::StrCat("the branches of UNION ALL have ", columns,
                                                     " and ", outputs.size(), " columns"));
  }
  for (size_t i = 0; i < columns; ++i) {
    std::vector<Operand> operands;
    for (const Branch& branch : branches) {
      const OutputColumn& output = branch.bound.outputs[i];
      operands.push_back({output.expr, output.node, output.untyped});
    }
    KAPPA_ASSIGN_OR_RETURN(const auto unified,
                           unify(operands, absl::StrCat("column ", i + 1, " of UNION ALL")));
    for (size_t b = 0; b < branches.size(); ++b) branches[b].bound.outputs[i].expr = unified[b];
  }
  return absl::OkStatus();
}

// Which outputs DISTINCT is about: all, or those that show the expressions of ON.
absl::Status ViewPlanner::bind_distinct(Branch& branch) const {
  const auto items = branch.select->list("distinctClause");
  const bool on = !items.front().kind.empty();
  const Node& at = on ? items.front() : *branch.bound.outputs.front().node;
  if (branch.bound.grouped) {
    return fault(at, "DISTINCT together with GROUP BY is not supported yet",
                 "make a view of the groups, or a query in FROM");
  }
  if (branch.from.relation->changelog) {
    return fault(at, "DISTINCT over rows that change is not supported yet",
                 absl::StrCat("\"", branch.from.relation->name,
                              "\" takes rows back; GROUP BY the columns instead"));
  }
  std::vector<int> key;
  if (!on) {
    for (size_t i = 0; i < branch.bound.outputs.size(); ++i) key.push_back(static_cast<int>(i));
    branch.distinct = std::move(key);
    return absl::OkStatus();
  }
  const ExpressionBinder binder(text_, branch.from.scope, "DISTINCT ON");
  for (const Node& item : items) {
    const auto& outputs = branch.bound.outputs;
    // An output of that name goes before a column of FROM, as in PostgreSQL.
    const auto names = item.is("ColumnRef") ? item.names("fields") : std::vector<std::string>();
    const auto named = [&](const OutputColumn& output) {
      return names.size() == 1 && output.name == names[0];
    };
    auto shown = std::find_if(outputs.begin(), outputs.end(), named);
    if (shown == outputs.end()) {
      KAPPA_ASSIGN_OR_RETURN(const ExprRef expr, binder.bind(item));
      shown = std::find_if(outputs.begin(), outputs.end(), [&](const OutputColumn& output) {
        return same_meaning(output.expr, expr);
      });
    } else if (std::find_if(shown + 1, outputs.end(), named) != outputs.end()) {
      return fault(item, absl::StrCat("two columns \"", names[0], "\" are selected"),
                   "name one of them otherwise with AS");
    }
    if (shown == outputs.end()) {
      return fault(item, "what DISTINCT ON names is not selected",
                   "its columns are the view's key: add it to the SELECT list");
    }
    const auto column = static_cast<int>(shown - outputs.begin());
    if (std::find(key.begin(), key.end(), column) == key.end()) key.push_back(column);
  }
  branch.distinct = std::move(key);
  return absl::OkStatus();
}

// What OVER needs of the rows below.
absl::Status ViewPlanner::check_over(const Branch& branch) const {
  const size_t at = text_.offset(branch.bound.overs.front().position);
  if (branch.from.window) {
    return fault(at, "OVER together with tumble() is not supported yet",
                 "read the table or view without windows");
  }
  const Relation& input = *branch.from.relation;
  if (input.changelog) {
    return fault(at, "OVER over rows that change is not supported yet",
                 absl::StrCat("\"", input.name,
                              "\" takes rows back; read a source, or a view with emit = 'final'"));
  }
  if (emission_.emit == operators::Emit::kFinal && !input.by_records) {
    return fault(at,
                 "OVER with emit = 'final' over rows that no single record caused is not "
                 "supported yet",
                 absl::StrCat("\"", input.name,
                              "\" gives its rows out when the watermark passes; leave emit out"));
  }
  return absl::OkStatus();
}

// Columns that are shown as they are keep their roles.
void ViewPlanner::keep_roles(const Branch& branch, Relation* relation) {
  for (size_t i = 0; i < branch.bound.outputs.size(); ++i) {
    const ExprRef& expr = branch.bound.outputs[i].expr;
    if (!is_column(expr) || expr->column >= branch.from.window_start()) continue;
    const auto& origin = branch.from.relation->columns[static_cast<size_t>(expr->column)];
    relation->columns[i].role = origin.role;
    relation->columns[i].window_size_us = origin.window_size_us;
  }
}

absl::StatusOr<Relation> ViewPlanner::plan_branch(const Branch& branch, bool with_identity) {
  has_over_ |= !branch.bound.overs.empty();
  has_group_ |= branch.bound.grouped;
  has_unwindowed_group_ |= branch.bound.grouped && !branch.from.window;
  has_window_ |= branch.from.window.has_value();
  Branch rest = branch;
  NodeId input = read(builder_, *branch.from.relation);
  ExprRef event_time = branch.from.window ? branch.from.window->event_time : nullptr;
  if (!rest.bound.overs.empty()) {
    event_time = operators::column_expr(*branch.from.relation->event_time(), Type::timestamptz());
  }
  apply_where(builder_, branch.from, rest.bound, &input, &event_time);
  if (!branch.bound.grouped) {
    Relation below;
    find_key(branch, &below);
    Relation relation = rest.bound.overs.empty()
                            ? plan_rows(rest, input)
                            : OverPlanner(builder_, branch.from, rest.bound, emission_)
                                  .plan(input, event_time->column, with_identity && !below.key);
    if (!relation.key) find_key(branch, &relation);
    keep_roles(branch, &relation);
    if (branch.distinct) {
      has_distinct_ = true;
      relation.node = builder_.distinct(relation.node, {*branch.distinct});
      relation.key = branch.distinct;
      relation.conflict = ViewNode::Conflict::kGrouped;
    }
    return relation;
  }
  const GroupPlanner planner(text_, builder_, branch.from, rest.bound, emission_);
  KAPPA_ASSIGN_OR_RETURN(Relation relation, planner.plan(input, event_time));
  relation.windowed = branch.from.window.has_value();
  return relation;
}

void ViewPlanner::find_key(const Branch& branch, Relation* relation) const {
  if (branch.bound.grouped) {
    GroupPlanner(text_, builder_, branch.from, branch.bound, emission_).find_key(relation);
  } else {
    keep_key(*branch.from.relation, branch.bound, *branch.select, relation);
  }
}

// The key of every branch, if it is the same columns in all of them.
std::optional<std::vector<int>> ViewPlanner::common_key(const std::vector<Branch>& branches) const {
  std::optional<std::vector<int>> common;
  for (const Branch& branch : branches) {
    Relation relation;
    find_key(branch, &relation);
    if (!relation.key) return std::nullopt;
    if (!common) common = relation.key;
    if (!std::is_permutation(common->begin(), common->end(), relation.key->begin(),
                             relation.key->end())) {
      return std::nullopt;
    }
  }
  return common;
}

// Adds the hidden column that says which branch of a union, counted from 0, a row comes from.
absl::Status ViewPlanner::add_branch_column(const Branch& branch, int32_t ordinal,
                                            Relation* relation) {
  constexpr char kName[] = "branch";
  const std::optional<int> event_time = builder_.node(relation->node).event_time;
  std::vector<ExprRef> exprs;
  for (size_t i = 0; i < relation->columns.size(); ++i) {
    if (relation->columns[i].name == kName) {
      return fault(
          *branch.bound.outputs[i].node,
          "a union's key has a column \"branch\" of its own, which tells equal keys of its "
          "branches apart",
          "name this one otherwise with AS, or name the key: WITH (key = '…')");
    }
    exprs.push_back(operators::column_expr(static_cast<int>(i), relation->columns[i].type));
  }
  exprs.push_back(operators::constant_expr(Value::integer(ordinal)));
  relation->node = builder_.project(relation->node, std::move(exprs), event_time);
  relation->columns.push_back({.name = kName, .type = Type::integer(), .hidden = true});
  return absl::OkStatus();
}

Relation ViewPlanner::plan_rows(const Branch& branch, NodeId input) {
  Relation relation;
  std::vector<ExprRef> exprs;
  for (const OutputColumn& output : branch.bound.outputs) {
    exprs.push_back(output.expr);
    relation.columns.push_back({output.name, output.expr->type});
  }
  relation.node = builder_.project(input, std::move(exprs));
  relation.changelog = branch.from.relation->changelog;
  relation.by_records = branch.from.relation->by_records;
  relation.windowed = branch.from.relation->windowed;
  return relation;
}

absl::StatusOr<Relation> ViewPlanner::plan_union(const std::vector<Branch>& branches) {
  Relation all;
  auto key = with_hidden_key_ ? common_key(branches) : std::nullopt;
  std::vector<NodeId> inputs;
  for (const Branch& branch : branches) {
    KAPPA_ASSIGN_OR_RETURN(Relation relation, plan_branch(branch, false));
    if (relation.changelog) {
      return fault(*branch.bound.outputs.front().node,
                   "UNION ALL over rows that change is not supported yet",
                   "unite append-only rows: sources, views over them as they are, or windows with "
                   "emit = 'final'");
    }
    if (key) {
      KAPPA_RETURN_IF_ERROR(
          add_branch_column(branch, static_cast<int32_t>(inputs.size()), &relation));
    }
    inputs.push_back(relation.node);
    if (inputs.size() == 1) {
      all = std::move(relation);
      continue;
    }
    all.by_records = all.by_records && relation.by_records;
    all.windowed = all.windowed && relation.windowed;
    if (relation.conflict == ViewNode::Conflict::kFirstWins) all.conflict = relation.conflict;
    for (size_t i = 0; i < all.columns.size(); ++i) {
      if (all.columns[i].role != relation.columns[i].role ||
          all.columns[i].window_size_us != relation.columns[i].window_size_us) {
        all.columns[i].role = TimeRole::kNone;
      }
    }
  }
  if (key) key->push_back(static_cast<int>(all.columns.size()) - 1);
  all.key = std::move(key);
  all.no_key_reason = "the branches of this UNION ALL of grouped rows have no key in common";
  all.no_key_hint =
      "select a column that tells the branches apart and name the key: WITH (key = 'branch, …')";
  all.no_key_offset = branches.front().bound.outputs.front().node->offset;
  all.node = builder_.union_all(std::move(inputs));
  return all;
}

}  // namespace kappa::sql
