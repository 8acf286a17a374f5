#include "engine/sql/join_from.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/interval_join_planner.h"
#include "engine/sql/join_condition.h"
#include "engine/sql/join_side.h"
#include "engine/sql/lookup_planner.h"
#include "engine/sql/relation_join_planner.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::ExprRef;
using operators::NodeId;

namespace {

// The names of all columns that a tree reads, and whether it has a *.
struct NamesRead {
  std::set<std::string> names;
  bool star = false;

  void collect(const Node& node) {
    if (node.is("ColumnRef") && !node.list("fields").empty()) {
      if (node.list("fields").back().is("A_Star")) {
        star = true;
      } else {
        names.insert(node.names("fields").back());
      }
    }
    for (const Field& field : node.fields) {
      for (const Node& part : field.nodes) collect(part);
    }
  }
  bool has(const RelationColumn& column) const {
    return names.contains(column.name) || (star && !column.hidden);
  }
};

std::vector<ExprRef> columns_of(const Relation& relation, size_t count) {
  std::vector<ExprRef> columns;
  for (size_t i = 0; i < count; ++i) {
    columns.push_back(operators::column_expr(static_cast<int>(i), relation.columns[i].type));
  }
  return columns;
}

// Plans the joins of one FROM.
class JoinPlanner {
 public:
  JoinPlanner(const Node& select, NestedQueries& queries, const SourceText& text, int64_t grace_us)
      : queries_(queries), builder_(queries.builder()), text_(text), grace_us_(grace_us) {
    read_.collect(select);
  }

  absl::StatusOr<JoinSide> side(const Node& item) {
    return item.is("JoinExpr") ? join(item) : table(item);
  }
  // Whether one of the joins planned is by time.
  bool by_time() const { return by_time_; }

 private:
  absl::StatusOr<JoinSide> table(const Node& item);
  absl::StatusOr<JoinSide> join(const Node& item);
  absl::StatusOr<JoinSide> lookup(const Node& item, JoinSide left, JoinSide right, JoinCondition on,
                                  bool outer);
  absl::StatusOr<JoinSide> interval_join(const Node& item, JoinSide left, JoinSide right,
                                         JoinCondition on, bool outer);
  absl::StatusOr<JoinSide> relation_join(const Node& item, JoinSide left, JoinSide right,
                                         JoinCondition on, bool outer);
  // All that ON equates, in columns of the sides' rows.
  operators::JoinKey equated_columns(JoinSide& left, JoinSide& right, const JoinCondition& on);
  // The columns of `exprs` in the side's rows; what is no column already is computed behind them.
  std::vector<int> key_columns(JoinSide& side, const std::vector<ExprRef>& exprs);
  // The rows of a join whose sides got key columns that have no names, without these.
  JoinSide named(const JoinSide& left, const JoinSide& right, Relation rows);

  NestedQueries& queries_;
  PlanBuilder& builder_;
  const SourceText& text_;
  int64_t grace_us_;
  NamesRead read_;
  bool by_time_ = false;
};

absl::StatusOr<JoinSide> JoinPlanner::table(const Node& item) {
  KAPPA_ASSIGN_OR_RETURN(const FromItem from, bind_from_item(item, queries_, text_));
  if (from.window) {
    return fault(item, "a window function in a join is not supported yet",
                 "make a view of the windows, and join that");
  }
  const Relation& all = *from.relation;
  JoinSide side;
  side.rows = all;
  side.rows.columns.clear();
  std::map<int, int> moved;
  std::vector<ExprRef> kept;
  for (int i = 0; i < static_cast<int>(all.columns.size()); ++i) {
    const RelationColumn& column = all.columns[static_cast<size_t>(i)];
    const bool in_key = all.key && std::find(all.key->begin(), all.key->end(), i) != all.key->end();
    const bool tells_expiry = all.expiry && all.expiry->column == i;
    if (!in_key && !tells_expiry && column.role == TimeRole::kNone && !read_.has(column)) {
      continue;
    }
    moved[i] = static_cast<int>(kept.size());
    kept.push_back(operators::column_expr(i, column.type));
    side.rows.columns.push_back(column);
    side.scope.add({.relation = from.alias,
                    .name = column.name,
                    .type = column.type,
                    .in_star = !column.hidden});
  }
  if (side.rows.key) {
    for (int& column : *side.rows.key) column = moved.at(column);
  }
  if (all.expiry && all.expiry->column >= 0) {
    side.rows.expiry->column = moved.at(all.expiry->column);
  }
  side.rows.node = builder_.project(builder_.read(all), std::move(kept));
  return side;
}

absl::StatusOr<JoinSide> JoinPlanner::join(const Node& item) {
  KAPPA_RETURN_IF_ERROR(refuse_join_words(item));
  const std::string_view type = item.text("jointype");
  if (type != "JOIN_INNER" && type != "JOIN_LEFT") {
    return not_supported(item, absl::StrCat("JoinExpr.jointype=", std::string(type)), "in a view");
  }
  KAPPA_RETURN_IF_ERROR(
      expect_only(item, {{"jointype"}, {"larg"}, {"rarg"}, {"quals"}}, "in a view"));
  KAPPA_ASSIGN_OR_RETURN(JoinSide left, side(*item.child("larg")));
  KAPPA_ASSIGN_OR_RETURN(JoinSide right, side(*item.child("rarg")));
  KAPPA_RETURN_IF_ERROR(check_aliases(left.scope, right.scope, *item.child("rarg")));
  const Node* condition = item.child("quals");
  if (!condition) {
    return fault(*item.child("rarg"), "a join without a condition is not supported yet",
                 "write JOIN … ON a.x = b.x");
  }
  Scope both = left.scope;
  for (const Scope::Column& column : right.scope.columns()) both.add(column);
  KAPPA_ASSIGN_OR_RETURN(JoinCondition on,
                         bind_join_condition(*condition, text_, both, left.scope.size()));
  if (on.equalities.empty()) return needs_equality(*condition);
  const bool outer = type == "JOIN_LEFT";
  if (is_interval_join(left, right, on)) {
    return interval_join(item, std::move(left), std::move(right), std::move(on), outer);
  }
  if (!left.rows.changelog && right.rows.key && !right.rows.source) {
    return lookup(item, std::move(left), std::move(right), std::move(on), outer);
  }
  if (left.rows.changelog) {
    return relation_join(item, std::move(left), std::move(right), std::move(on), outer);
  }
  return refuse_lookup(*item.child("rarg"), right, on);
}

absl::StatusOr<JoinSide> JoinPlanner::lookup(const Node& item, JoinSide left, JoinSide right,
                                             JoinCondition on, bool outer) {
  // Rows that a topic gives twice are told apart by a view only.
  if (right.rows.conflict != operators::ViewNode::Conflict::kGrouped) {
    return refuse_lookup(*item.child("rarg"), right, on);
  }
  const Node& condition = *item.child("quals");
  KAPPA_ASSIGN_OR_RETURN(const LookupKey key, take_lookup_key(condition, text_, left, right, &on));
  operators::LookupNode op{.key = {}, .outer = outer, .condition = nullptr, .expiry = {}};
  KAPPA_ASSIGN_OR_RETURN(op.expiry, lookup_expiry(*item.child("rarg"), right));
  if (on.right_filter) right.rows.node = builder_.filter(right.rows.node, on.right_filter);
  op.key = {key_columns(left, key.left), key_columns(right, key.right)};
  const auto left_columns = static_cast<int>(left.rows.columns.size());
  const ExprRef rest = all_of(std::move(on.residuals));
  if (outer && rest) {
    op.condition = move_columns(rest, [&](int column) {
      return column < left.scope.size() ? column : column - left.scope.size() + left_columns;
    });
  }
  Relation rows = left.rows;
  rows.node = builder_.lookup(left.rows.node, right.rows.node, std::move(op));
  JoinSide joined = named(left, right, std::move(rows));
  if (!outer && rest) joined.rows.node = builder_.filter(joined.rows.node, rest);
  return joined;
}

absl::StatusOr<JoinSide> JoinPlanner::relation_join(const Node& item, JoinSide left, JoinSide right,
                                                    JoinCondition on, bool outer) {
  KAPPA_RETURN_IF_ERROR(check_relation_join(item, left, right));
  if (on.right_filter) right.rows.node = builder_.filter(right.rows.node, on.right_filter);
  operators::JoinKey key = equated_columns(left, right, on);
  Relation rows = plan_relation_join(builder_, left, right, on, std::move(key), outer);
  JoinSide joined = named(left, right, std::move(rows));
  forget_times(&joined.rows);
  if (!outer && !on.residuals.empty()) {
    joined.rows.node = builder_.filter(joined.rows.node, all_of(std::move(on.residuals)));
  }
  return joined;
}

absl::StatusOr<JoinSide> JoinPlanner::interval_join(const Node& item, JoinSide left, JoinSide right,
                                                    JoinCondition on, bool outer) {
  KAPPA_ASSIGN_OR_RETURN(operators::IntervalJoinNode op,
                         bind_interval_join(item, text_, left, right, outer, grace_us_, &on));
  by_time_ = true;
  const int left_time = op.left_time;
  const int right_time = left.scope.size() + op.right_time;
  if (on.right_filter) right.rows.node = builder_.filter(right.rows.node, on.right_filter);
  op.key = equated_columns(left, right, on);
  Relation rows = plan_interval_join(builder_, left, right, on, std::move(op));
  rows.no_key_offset = item.child("rarg")->first_offset();
  JoinSide joined = named(left, right, std::move(rows));
  forget_times(&joined.rows);
  if (!on.residuals.empty()) {
    joined.rows.node = builder_.filter(joined.rows.node, all_of(std::move(on.residuals)));
  }
  KAPPA_RETURN_IF_ERROR(add_join_time(builder_, item, left_time, right_time, &joined));
  return joined;
}

operators::JoinKey JoinPlanner::equated_columns(JoinSide& left, JoinSide& right,
                                                const JoinCondition& on) {
  std::vector<ExprRef> left_key;
  std::vector<ExprRef> right_key;
  for (const auto& [on_left, on_right] : on.equalities) {
    left_key.push_back(on_left);
    right_key.push_back(on_right);
  }
  return {key_columns(left, left_key), key_columns(right, right_key)};
}

std::vector<int> JoinPlanner::key_columns(JoinSide& side, const std::vector<ExprRef>& exprs) {
  std::vector<ExprRef> columns = columns_of(side.rows, side.rows.columns.size());
  const size_t width = columns.size();
  std::vector<int> key;
  for (const ExprRef& expr : exprs) {
    if (is_column(expr)) {
      key.push_back(expr->column);
      continue;
    }
    key.push_back(static_cast<int>(columns.size()));
    columns.push_back(expr);
    side.rows.columns.push_back({.name = "join_key", .type = expr->type, .hidden = true});
  }
  if (columns.size() > width) {
    side.rows.node = builder_.project(side.rows.node, std::move(columns), side.rows.event_time());
  }
  return key;
}

JoinSide JoinPlanner::named(const JoinSide& left, const JoinSide& right, Relation rows) {
  JoinSide joined{.rows = std::move(rows), .scope = left.scope};
  joined.rows.source.reset();
  const auto left_width = static_cast<size_t>(left.scope.size());
  const auto right_width = static_cast<size_t>(right.scope.size());
  std::vector<ExprRef> columns = columns_of(left.rows, left_width);
  joined.rows.columns.resize(left_width);
  for (size_t i = 0; i < right_width; ++i) {
    // When the row on the right happened is not when the joined one does.
    RelationColumn column = right.rows.columns[i];
    column.role = TimeRole::kNone;
    joined.scope.add(right.scope.column(static_cast<int>(i)));
    columns.push_back(
        operators::column_expr(static_cast<int>(left.rows.columns.size() + i), column.type));
    joined.rows.columns.push_back(std::move(column));
  }
  joined.rows.node = builder_.project(joined.rows.node, std::move(columns));
  return joined;
}

}  // namespace

absl::StatusOr<FromClause> bind_join(const Node& join, const Node& select, NestedQueries& queries,
                                     const SourceText& text, int64_t grace_us) {
  JoinPlanner planner(select, queries, text, grace_us);
  KAPPA_ASSIGN_OR_RETURN(JoinSide joined, planner.side(join));
  FromClause from;
  from.joined_by_time = planner.by_time();
  from.scope = std::move(joined.scope);
  joined.rows.name = "the join";
  from.relation = queries.own(std::move(joined.rows));
  return from;
}

}  // namespace kappa::sql
