#include "engine/sql/view_planner.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/group_planner.h"
#include "engine/sql/over_planner.h"
#include "engine/sql/window_function.h"
#include "engine/types/status_macros.h"
#include "engine/types/time.h"

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
    use(aggregate.by);
  }
  for (const OverExpr& over : bound.overs) {
    use(over.argument);
    use(over.filter);
    for (const ExprRef& expr : over.partition) use(expr);
  }
  if (!bound.overs.empty()) used.insert(*from.relation->event_time());
  if (bound.ranking) {
    for (const ExprRef& expr : bound.ranking->partition) use(expr);
    for (const RankOrder& by : bound.ranking->order) use(by.expr);
  }
  if (!bound.grouped) {
    for (const OutputColumn& output : bound.outputs) use(output.expr);
  }
  used.erase(used.lower_bound(from.window_start()), used.end());
  return used;
}

// FROM's rows, those of `input`, for which WHERE is true, with those of its columns that are used:
// `moved` says where they are now.
NodeId plan_where(PlanBuilder& builder, const FromClause& from, const BoundSelect& bound,
                  NodeId input, std::map<int, int>* moved) {
  std::vector<ExprRef> columns;
  for (int column : used_columns(from, bound)) {
    (*moved)[column] = static_cast<int>(columns.size());
    columns.push_back(
        operators::column_expr(column, from.relation->columns[static_cast<size_t>(column)].type));
  }
  const NodeId narrow = builder.project(input, std::move(columns));
  return builder.filter(narrow,
                        move_columns(bound.where, [&](int column) { return moved->at(column); }));
}

// WHERE done: FROM without the columns that nothing uses, and the clauses that read what is left.
void apply_where(PlanBuilder& builder, const FromClause& from, BoundSelect& bound, NodeId* input,
                 ExprRef* event_time) {
  if (!bound.where) return;
  std::map<int, int> moved;
  *input = plan_where(builder, from, bound, *input, &moved);
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
    move(aggregate.by);
  }
  for (OverExpr& over : bound.overs) {
    move(over.argument);
    move(over.filter);
    for (ExprRef& expr : over.partition) move(expr);
  }
  if (bound.ranking) {
    for (ExprRef& expr : bound.ranking->partition) move(expr);
    for (RankOrder& by : bound.ranking->order) move(by.expr);
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
  std::set<int> named;
  for (const GroupColumn& group : bound.groups) {
    if (is_column(group.expr) && of_window(group.expr->column)) {
      if (!group.implied && from.tells_windows_apart(group.expr->column)) {
        named.insert(from.key_bound(group.expr->column));
      }
    } else {
      before.push_back(group.expr);
    }
  }
  for (const AggregateExpr& aggregate : bound.aggregates) {
    before.push_back(aggregate.argument);
    before.push_back(aggregate.filter);
    before.push_back(aggregate.by);
  }
  for (const ExprRef& expr : before) {
    const operators::Expr* column = expr ? find_column(*expr, of_window) : nullptr;
    if (!column) continue;
    return fault(text.offset(column->position),
                 "a window's columns can only be grouped by and selected",
                 "group by window_start, and compute with it in the SELECT list or in a view over "
                 "this one");
  }
  for (const int column : {from.window_start(), from.window_end()}) {
    if (from.key_bound(column) != column || named.contains(column)) continue;
    const char* name = column == from.window_start() ? "window_start" : "window_end";
    return fault(*from.window->node, absl::StrCat(from.window->name(), "() needs GROUP BY ", name),
                 absl::StrCat("add ", name, " to GROUP BY"));
  }
  return absl::OkStatus();
}

// When the rows of FROM happened; null if they do not say.
absl::StatusOr<ExprRef> event_time_of(const FromClause& from, const Node& select) {
  if (from.window) return from.window->event_time;
  if (const auto column = from.relation->event_time()) {
    return operators::column_expr(*column, Type::timestamptz());
  }
  return window_time_of(*from.relation, select);
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

// The key of a view over numbered rows.
void keep_limited_key(const BoundSelect& bound, const LimitedKey& limited, Relation* relation) {
  relation->conflict = ViewNode::Conflict::kGrouped;
  relation->key = limited.key;
  if (limited.adds_number) relation->columns.back().hidden = true;
  if (limited.key) return;
  relation->no_key_reason = absl::StrCat(limited.missing, " is not selected");
  relation->no_key_hint = "add it to the SELECT list: it is part of the view's key";
  relation->no_key_offset = bound.outputs.front().node->offset;
}

}  // namespace

std::optional<operators::Expiry> window_expiry(const Relation& windows, const Emission& emission) {
  if (windows.changelog || !emission.retention_us) return std::nullopt;
  // They go by a watermark that has not lost the grace yet: at end + max(grace, retention).
  const int64_t rest_us = std::max<int64_t>(0, *emission.retention_us - windows.held_back_us);
  for (const TimeRole role : {TimeRole::kWindowStart, TimeRole::kWindowEnd}) {
    for (size_t i = 0; i < windows.columns.size(); ++i) {
      const RelationColumn& column = windows.columns[i];
      if (column.role != role) continue;
      const int64_t to_end_us = role == TimeRole::kWindowStart ? column.window_size_us : 0;
      return operators::Expiry{static_cast<int>(i), saturating_add(to_end_us, rest_us)};
    }
  }
  return operators::Expiry{-1, 0};
}

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
  KAPPA_ASSIGN_OR_RETURN(Relation relation, plan_query(select));
  const operators::TopNNode* unlimited = find_unlimited(builder_, relation.node);
  if (!unlimited) return relation;
  return fault(
      text_.offset(unlimited->position), "ROW_NUMBER() numbers rows without end: nothing bounds it",
      "put the query into FROM or WITH, name the number with AS rn, and write WHERE rn <= 3 "
      "in the query that reads it");
}

absl::StatusOr<Relation> ViewPlanner::plan_query(const Node& select) {
  std::vector<Branch> branches;
  KAPPA_RETURN_IF_ERROR(bind_branches(select, &branches));
  if (branches.size() == 1) {
    Relation below;
    find_key(branches.front(), &below);
    return plan_branch(branches.front(), with_hidden_key_ && !below.key);
  }
  KAPPA_RETURN_IF_ERROR(unify_branches(branches));
  for (const Branch& branch : branches) {
    if (!branch.distinct) continue;
    return fault(*branch.bound.outputs.front().node,
                 "DISTINCT in a branch of UNION ALL is not supported yet",
                 "make a view of the branch, and unite that");
  }
  return plan_union(branches);
}

absl::StatusOr<ViewPlanner::Branch> ViewPlanner::bind_branch(const Node& select) {
  const auto distinct = select.list("distinctClause");
  const bool distinct_on = !distinct.empty() && !distinct.front().kind.empty();
  KAPPA_RETURN_IF_ERROR(expect_only(select,
                                    {{"distinctClause"},
                                     {"targetList"},
                                     {"fromClause"},
                                     {"whereClause"},
                                     {"groupClause"},
                                     {"havingClause"},
                                     {"withClause"},
                                     {"windowClause"},
                                     {distinct_on ? "sortClause" : "targetList"},
                                     {"limitOption", "LIMIT_OPTION_DEFAULT"},
                                     {"op", "SETOP_NONE"}},
                                    where_));
  Branch branch{.select = &select};
  KAPPA_ASSIGN_OR_RETURN(branch.from, bind_from(select, nested_, text_, emission_.grace_us));
  has_join_by_time_ |= branch.from.joined_by_time;
  OverCalls over(select, branch.from.relation->event_times());
  KAPPA_ASSIGN_OR_RETURN(const ExprRef event_time, event_time_of(branch.from, select));
  KAPPA_ASSIGN_OR_RETURN(branch.bound,
                         SelectBinder(text_, branch.from.scope, select, &over, event_time).bind());
  if (!branch.bound.overs.empty()) {
    KAPPA_RETURN_IF_ERROR(check_over(branch));
  }
  if (const Node* unused = over.unused_window()) {
    return fault(*unused,
                 absl::StrCat("no OVER names window \"", std::string(unused->text("name")), "\""),
                 "leave it out");
  }
  if (branch.bound.outputs.empty()) return fault(select, "SELECT names no column");
  if (branch.from.relation->numbered) {
    KAPPA_ASSIGN_OR_RETURN(branch.row_limit,
                           take_row_limit(*branch.from.relation, text_, &branch.bound.where));
  }
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

// What OVER needs of the rows below.
absl::Status ViewPlanner::check_over(const Branch& branch) const {
  const size_t at = text_.offset(branch.bound.overs.front().position);
  if (branch.from.window) {
    return fault(
        at,
        absl::StrCat("OVER together with ", branch.from.window->name(), "() is not supported yet"),
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

// Columns that are shown as they are keep their roles, the time of expiry among them.
void ViewPlanner::keep_roles(const Branch& branch, Relation* relation) {
  for (size_t i = 0; i < branch.bound.outputs.size(); ++i) {
    const ExprRef& expr = branch.bound.outputs[i].expr;
    if (!is_column(expr) || expr->column >= branch.from.window_start()) continue;
    const auto& origin = branch.from.relation->columns[static_cast<size_t>(expr->column)];
    relation->columns[i].role = origin.role;
    relation->columns[i].window_size_us = origin.window_size_us;
  }
  relation->expiry = branch.from.relation->expiry;
  if (relation->expiry && relation->expiry->column >= 0) {
    relation->expiry->column = output_of(branch.bound, relation->expiry->column);
  }
}

// What a SELECT reads. Of numbered rows those up to the limit; if what it shows of them needs their
// number in its key, that follows the outputs.
LimitedKey ViewPlanner::read_branch(Branch& branch, NodeId* input) {
  const Relation& relation = *branch.from.relation;
  if (!branch.row_limit) {
    *input = builder_.read(relation);
    return {};
  }
  LimitedKey limited;
  const int number = relation.numbered->column;
  if (!branch.bound.grouped) {
    limited = find_limited_key(relation, branch.bound, *branch.row_limit);
  }
  if (limited.adds_number && !with_hidden_key_) {
    limited = LimitedKey();
    limited.missing = "the number of a row";
  }
  if (limited.adds_number) {
    const RelationColumn& column = relation.columns[static_cast<size_t>(number)];
    branch.bound.outputs.push_back({column.name, operators::column_expr(number, column.type),
                                    branch.bound.outputs.front().node});
  }
  const bool ranked = used_columns(branch.from, branch.bound).contains(number);
  *input = read_limited(builder_, relation, *branch.row_limit, ranked);
  return limited;
}

// The rows of a SELECT that is not grouped: those of `rest`, whose WHERE is done.
Relation ViewPlanner::plan_ungrouped(const Branch& branch, const Branch& rest, NodeId input,
                                     const ExprRef& event_time, bool with_identity) {
  Relation below;
  find_key(branch, &below);
  if (branch.bound.row_number) {
    has_row_number_ = true;
    Relation relation = plan_numbered(builder_, rest.bound, input);
    relation.windowed = branch.from.relation->windowed;
    // Rows of which a key may have several are all numbered.
    if (below.conflict == ViewNode::Conflict::kGrouped) relation.key = below.key;
    return relation;
  }
  if (branch.distinct) has_distinct_ = true;
  if (branch.bound.ranking) {
    Relation relation = plan_first(builder_, rest.bound, *branch.distinct, input);
    relation.windowed = branch.from.relation->windowed;
    return relation;
  }
  Relation relation = rest.bound.overs.empty()
                          ? plan_rows(rest, input)
                          : OverPlanner(builder_, branch.from, rest.bound, emission_)
                                .plan(input, event_time->column, with_identity && !branch.distinct);
  if (!relation.key) find_key(branch, &relation);
  if (branch.distinct) {
    relation.node = builder_.distinct(relation.node, {*branch.distinct});
    relation.key = branch.distinct;
    relation.conflict = ViewNode::Conflict::kGrouped;
    relation.expiry.reset();  // it never forgets a key
  }
  return relation;
}

absl::StatusOr<Relation> ViewPlanner::plan_branch(const Branch& branch, bool with_identity) {
  has_over_ |= !branch.bound.overs.empty();
  has_group_ |= branch.bound.grouped;
  has_unwindowed_group_ |= branch.bound.grouped && !branch.from.window;
  has_window_ |= branch.from.window.has_value();
  Branch rest = branch;
  NodeId input = operators::kNoNode;
  const LimitedKey limited = read_branch(rest, &input);
  ExprRef event_time = branch.from.window ? branch.from.window->event_time : nullptr;
  if (!rest.bound.overs.empty()) {
    event_time = operators::column_expr(*branch.from.relation->event_time(), Type::timestamptz());
  }
  apply_where(builder_, branch.from, rest.bound, &input, &event_time);
  if (!branch.bound.grouped) {
    Relation relation = plan_ungrouped(branch, rest, input, event_time, with_identity);
    if (branch.row_limit) keep_limited_key(branch.bound, limited, &relation);
    keep_roles(branch, &relation);
    return relation;
  }
  const GroupPlanner planner(text_, builder_, branch.from, rest.bound, emission_);
  KAPPA_ASSIGN_OR_RETURN(Relation relation, planner.plan(input, event_time));
  if (relation.windowed) relation.expiry = window_expiry(relation, emission_);
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

// Whether the record that caused a row can be shown in every branch.
bool ViewPlanner::has_identity(const std::vector<Branch>& branches) const {
  return emission_.emit == operators::Emit::kFinal &&
         std::all_of(branches.begin(), branches.end(),
                     [](const Branch& branch) { return !branch.bound.overs.empty(); });
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
  relation.held_back_us = branch.from.relation->held_back_us;
  return relation;
}

absl::StatusOr<Relation> ViewPlanner::plan_union(const std::vector<Branch>& branches) {
  Relation all;
  auto key = with_hidden_key_ ? common_key(branches) : std::nullopt;
  const bool by_identity = with_hidden_key_ && !key && has_identity(branches);
  std::vector<NodeId> inputs;
  for (const Branch& branch : branches) {
    KAPPA_ASSIGN_OR_RETURN(Relation relation, plan_branch(branch, by_identity));
    if (by_identity) key = relation.key;
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
    if (relation.expiry) relation.expiry->column = -1;
    if (inputs.size() == 1) {
      all = std::move(relation);
      continue;
    }
    all.by_records = all.by_records && relation.by_records;
    all.windowed = all.windowed && relation.windowed;
    all.held_back_us = std::max(all.held_back_us, relation.held_back_us);
    if (relation.expiry) all.expiry = relation.expiry;
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
  all.no_key_reason = "the branches of this UNION ALL have no key in common";
  all.no_key_hint =
      "select a column that tells the branches apart and name the key: WITH (key = 'branch, …')";
  all.no_key_offset = branches.front().bound.outputs.front().node->offset;
  all.node = builder_.union_all(std::move(inputs));
  return all;
}

}  // namespace kappa::sql
