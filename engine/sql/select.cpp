#include "engine/sql/select.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;

namespace {

bool is_star(const Node& target) {
  const Node* value = target.child("val");
  return value && value->is("ColumnRef") && !value->list("fields").empty() &&
         value->list("fields").back().is("A_Star");
}

// GROUP BY 2, ORDER BY 2: the number of an output, from 1.
std::optional<int64_t> ordinal(const Node& item) {
  const Node* integer = item.is("A_Const") ? item.child("ival") : nullptr;
  int64_t value = 0;
  if (!integer || !absl::SimpleAtoi(std::string(integer->text("ival")), &value))
    return std::nullopt;
  return value;
}

}  // namespace

std::string default_name(const Node& expression) {
  if (expression.is("ColumnRef")) return expression.names("fields").back();
  if (expression.is("FuncCall")) return expression.names("funcname").back();
  if (expression.is("CaseExpr")) return "case";
  if (expression.is("CoalesceExpr")) return "coalesce";
  if (expression.is("MinMaxExpr")) {
    return expression.text("op") == "IS_GREATEST" ? "greatest" : "least";
  }
  if (expression.is("A_Expr") && expression.text("kind") == "AEXPR_NULLIF") return "nullif";
  if (expression.is("TypeCast")) {
    const std::string inner = default_name(*expression.child("arg"));
    return inner == "?column?" ? expression.child("typeName")->names("names").back() : inner;
  }
  return "?column?";
}

absl::StatusOr<BoundSelect> SelectBinder::bind() {
  BoundSelect bound;
  if (const Node* where = select_.child("whereClause")) {
    const ExpressionBinder binder(text_, scope_, "WHERE");
    KAPPA_ASSIGN_OR_RETURN(bound.where, binder.bind_condition(*where));
  }
  KAPPA_RETURN_IF_ERROR(bind_groups(bound));
  KAPPA_RETURN_IF_ERROR(bind_outputs(bound));
  ExprRef having;
  if (const Node* clause = select_.child("havingClause")) {
    const ExpressionBinder binder(text_, scope_, "HAVING", &aggregates_);
    KAPPA_ASSIGN_OR_RETURN(having, binder.bind_condition(*clause));
    bound.grouped = true;
  }
  bound.grouped = bound.grouped || !bound.groups.empty() || !aggregates_.all().empty();
  bound.aggregates = aggregates_.all();
  KAPPA_RETURN_IF_ERROR(take_overs(bound));
  KAPPA_RETURN_IF_ERROR(take_row_number(bound));
  if (!bound.grouped) return bound;
  for (OutputColumn& output : bound.outputs) {
    KAPPA_ASSIGN_OR_RETURN(output.expr, over_groups(output.expr, bound));
  }
  if (having) {
    KAPPA_ASSIGN_OR_RETURN(bound.having, over_groups(having, bound));
  }
  return bound;
}

absl::StatusOr<ExprRef> SelectBinder::bind_further(const Node& node, BoundSelect& bound) {
  const ExpressionBinder binder(text_, scope_, "ORDER BY", bound.grouped ? &aggregates_ : nullptr);
  KAPPA_ASSIGN_OR_RETURN(ExprRef expr, binder.bind(node));
  if (!bound.grouped) return expr;
  bound.aggregates = aggregates_.all();
  return over_groups(expr, bound);
}

// What a GROUP BY item stands for: an output by its number or alias, or the item itself.
absl::StatusOr<const Node*> SelectBinder::group_target(const Node& item) const {
  const auto targets = select_.list("targetList");
  if (const auto number = ordinal(item)) {
    if (*number < 1 || *number > static_cast<int64_t>(targets.size())) {
      return fault(item, absl::StrCat("GROUP BY ", *number, ": the SELECT list has ",
                                      targets.size(), " columns"));
    }
    const Node& target = targets[static_cast<size_t>(*number - 1)];
    if (is_star(target)) return fault(item, "GROUP BY by number does not work with *");
    return target.child("val");
  }
  // A column of FROM goes before an alias, as in PostgreSQL.
  const auto fields = item.is("ColumnRef") ? item.names("fields") : std::vector<std::string>();
  if (fields.size() != 1 || scope_.has(fields[0])) return &item;
  for (const Node& target : targets) {
    if (target.text("name") == fields[0]) return target.child("val");
  }
  return &item;
}

absl::Status SelectBinder::bind_groups(BoundSelect& bound) {
  const ExpressionBinder binder(text_, scope_, "GROUP BY");
  for (const Node& item : select_.list("groupClause")) {
    KAPPA_ASSIGN_OR_RETURN(const Node* target, group_target(item));
    KAPPA_ASSIGN_OR_RETURN(ExprRef expr, binder.bind(*target));
    const bool known =
        std::any_of(bound.groups.begin(), bound.groups.end(),
                    [&](const auto& group) { return same_meaning(group.expr, expr); });
    if (!known) bound.groups.push_back({std::move(expr), &item, default_name(*target)});
  }
  add_implied_groups(bound);
  return absl::OkStatus();
}

// Start, end and time of a window determine each other: who groups by one has them all.
void SelectBinder::add_implied_groups(BoundSelect& bound) const {
  const auto of_window = [&](const GroupColumn& group) {
    return is_column(group.expr) && scope_.column(group.expr->column).of_window;
  };
  const auto first = std::find_if(bound.groups.begin(), bound.groups.end(), of_window);
  if (first == bound.groups.end()) return;
  const Node* node = first->node;
  for (int i = 0; i < scope_.size(); ++i) {
    if (!scope_.column(i).of_window) continue;
    const bool named = std::any_of(
        bound.groups.begin(), bound.groups.end(),
        [&](const auto& group) { return is_column(group.expr) && group.expr->column == i; });
    if (named) continue;
    bound.groups.push_back(
        {operators::column_expr(i, scope_.column(i).type, text_.position(node->offset)), node,
         scope_.column(i).name, true});
  }
}

absl::Status SelectBinder::bind_outputs(BoundSelect& bound) {
  const ExpressionBinder binder(text_, scope_, "SELECT", &aggregates_, over_);
  for (const Node& target : select_.list("targetList")) {
    KAPPA_RETURN_IF_ERROR(expect_only(target, {{"name"}, {"val"}}));
    const Node& value = *target.child("val");
    if (is_star(target)) {
      KAPPA_ASSIGN_OR_RETURN(const auto columns, scope_.expand_star(value));
      for (const int i : columns) {
        const Scope::Column& column = scope_.column(i);
        bound.outputs.push_back(
            {column.name, operators::column_expr(i, column.type, text_.position(value.offset)),
             &value});
      }
      continue;
    }
    KAPPA_ASSIGN_OR_RETURN(const Operand operand, binder.bind_operand(value));
    const std::string name(target.text("name"));
    bound.outputs.push_back(
        {name.empty() ? default_name(value) : name, settle(operand), &value, operand.untyped()});
  }
  return absl::OkStatus();
}

absl::Status SelectBinder::take_overs(BoundSelect& bound) const {
  if (!over_ || over_->all().empty()) return absl::OkStatus();
  bound.overs = over_->all();
  if (!bound.grouped) return absl::OkStatus();
  return fault(text_.offset(bound.overs.front().position),
               "OVER together with GROUP BY or an aggregate is not supported yet",
               "aggregate in a view with emit = 'final', and write OVER in a second view over it");
}

absl::Status SelectBinder::take_row_number(BoundSelect& bound) const {
  if (!over_ || !over_->row_number()) return absl::OkStatus();
  bound.ranking = over_->row_number();
  const size_t at = text_.offset(bound.ranking->position);
  if (bound.grouped || !bound.overs.empty()) {
    return fault(at,
                 absl::StrCat("ROW_NUMBER() together with ",
                              bound.grouped ? "GROUP BY or an aggregate" : "another OVER",
                              " is not supported yet"),
                 "put the rest into a query in FROM, and number its rows");
  }
  for (size_t i = 0; i < bound.outputs.size(); ++i) {
    if (bound.outputs[i].node->offset == at) bound.row_number = i;
  }
  if (bound.row_number) return absl::OkStatus();
  return fault(at, "ROW_NUMBER() stands by itself in the SELECT list",
               "name it with AS, and compute with it in the query around this one");
}

absl::StatusOr<ExprRef> SelectBinder::over_groups(const ExprRef& expr,
                                                  const BoundSelect& bound) const {
  for (size_t i = 0; i < bound.groups.size(); ++i) {
    if (same_meaning(bound.groups[i].expr, expr)) {
      return operators::column_expr(static_cast<int>(i), expr->type, expr->position);
    }
  }
  if (expr->kind == ExprKind::kColumn) {
    if (expr->column >= scope_.size()) {
      const int call = expr->column - scope_.size();
      return operators::column_expr(static_cast<int>(bound.groups.size()) + call, expr->type,
                                    expr->position);
    }
    return fault(text_.offset(expr->position),
                 absl::StrCat("column \"", scope_.column(expr->column).name,
                              "\" is neither grouped nor aggregated"),
                 "add it to GROUP BY or aggregate it, with min(…) for instance");
  }
  if (expr->args.empty()) return expr;
  auto moved = std::make_shared<Expr>(*expr);
  for (ExprRef& arg : moved->args) {
    KAPPA_ASSIGN_OR_RETURN(arg, over_groups(arg, bound));
  }
  return ExprRef(moved);
}

}  // namespace kappa::sql
