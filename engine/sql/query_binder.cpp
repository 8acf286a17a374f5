#include "engine/sql/query_binder.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/sql/coercion.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/expression_tree.h"
#include "engine/sql/fault.h"
#include "engine/sql/order_by.h"
#include "engine/sql/with_clause.h"
#include "engine/types/status_macros.h"

namespace kappa::sql {

using operators::ExprRef;

namespace {

constexpr int kSelectsMax = 1000;

// The outputs of every SELECT in an expression as the given types.
absl::Status coerce_outputs(QueryExpression& expression, const std::vector<Type>& types) {
  if (expression.left) {
    KAPPA_RETURN_IF_ERROR(coerce_outputs(*expression.left, types));
    return coerce_outputs(*expression.right, types);
  }
  for (size_t i = 0; i < types.size(); ++i) {
    OutputColumn& output = expression.bound.outputs[i];
    KAPPA_ASSIGN_OR_RETURN(output.expr,
                           coerce({output.expr, output.node, output.untyped}, types[i]));
    output.untyped = false;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<QueryNode>> QueryBinder::compile(const Node& select) {
  KAPPA_ASSIGN_OR_RETURN(Expression expression, bind(select));
  return build(std::move(*expression));
}

absl::Status QueryBinder::add_common_tables(const Node& select) {
  KAPPA_ASSIGN_OR_RETURN(const auto clauses, read_with_clause(select));
  for (const CommonTableClause& table : clauses) {
    // One that nothing reads is checked all the same.
    KAPPA_RETURN_IF_ERROR(compile(*table.query).status());
    auto visible = std::make_shared<const CommonTables>(common_tables_);
    common_tables_.insert_or_assign(table.name, CommonTable{table.query, std::move(visible)});
  }
  return absl::OkStatus();
}

absl::StatusOr<QueryBinder::Expression> QueryBinder::bind(const Node& select) {
  if (++selects_ > kSelectsMax) {
    return fault(select, absl::StrCat("the query has more than ", kSelectsMax,
                                      " SELECTs, those of WITH counted wherever they are read"));
  }
  CommonTables outer = common_tables_;
  KAPPA_RETURN_IF_ERROR(add_common_tables(select));
  auto expression = select.text("op") == "SETOP_NONE" ? bind_select(select) : bind_union(select);
  common_tables_ = std::move(outer);
  return expression;
}

absl::StatusOr<QueryBinder::Expression> QueryBinder::bind_union(const Node& select) {
  KAPPA_RETURN_IF_ERROR(expect_only(select, {{"op", "SETOP_UNION"},
                                             {"all"},
                                             {"larg"},
                                             {"rarg"},
                                             {"sortClause"},
                                             {"limitCount"},
                                             {"limitOffset"},
                                             {"limitOption"},
                                             {"withClause"}}));
  auto expression = std::make_unique<QueryExpression>();
  expression->select = &select;
  expression->distinct = !select.flag("all");
  KAPPA_ASSIGN_OR_RETURN(expression->left, bind(*select.child("larg")));
  KAPPA_ASSIGN_OR_RETURN(expression->right, bind(*select.child("rarg")));
  const auto& left = expression->left->outputs();
  const auto& right = expression->right->outputs();
  // Hidden columns of an ORDER BY inside of a branch stand behind those that count.
  const size_t columns = expression->left->visible;
  if (columns != expression->right->visible) {
    return fault(*right.front().node, absl::StrCat("the branches of UNION have ", columns, " and ",
                                                   expression->right->visible, " columns"));
  }
  std::vector<Type> types;
  for (size_t i = 0; i < columns; ++i) {
    const std::vector<Operand> operands = {{left[i].expr, left[i].node, left[i].untyped},
                                           {right[i].expr, right[i].node, right[i].untyped}};
    KAPPA_ASSIGN_OR_RETURN(const auto unified,
                           unify(operands, absl::StrCat("column ", i + 1, " of UNION")));
    types.push_back(unified[0]->type);
  }
  KAPPA_RETURN_IF_ERROR(coerce_outputs(*expression->left, types));
  KAPPA_RETURN_IF_ERROR(coerce_outputs(*expression->right, types));
  expression->visible = columns;
  KAPPA_RETURN_IF_ERROR(bind_order(select, nullptr, *expression));
  KAPPA_RETURN_IF_ERROR(bind_limit(select, *expression));
  return expression;
}

absl::StatusOr<QueryBinder::Expression> QueryBinder::bind_select(const Node& select) {
  const auto distinct = select.list("distinctClause");
  if (!distinct.empty() && !distinct.front().kind.empty()) {
    return not_supported(distinct.front(), "SelectStmt.distinctClause.on");
  }
  KAPPA_RETURN_IF_ERROR(expect_only(select, {{"op", "SETOP_NONE"},
                                             {"targetList"},
                                             {"fromClause"},
                                             {"whereClause"},
                                             {"groupClause"},
                                             {"havingClause"},
                                             {"distinctClause"},
                                             {"sortClause"},
                                             {"limitCount"},
                                             {"limitOffset"},
                                             {"limitOption"},
                                             {"withClause"}}));
  auto expression = std::make_unique<QueryExpression>();
  expression->select = &select;
  KAPPA_ASSIGN_OR_RETURN(QueryFrom from, bind_from(select));
  expression->from = std::make_unique<QueryFrom>(std::move(from));
  SelectBinder binder(text_, expression->from->scope, select);
  KAPPA_ASSIGN_OR_RETURN(expression->bound, binder.bind());
  if (expression->bound.outputs.empty()) return fault(select, "SELECT names no column");
  expression->visible = expression->bound.outputs.size();
  expression->distinct = !distinct.empty();
  KAPPA_RETURN_IF_ERROR(bind_order(select, &binder, *expression));
  KAPPA_RETURN_IF_ERROR(bind_limit(select, *expression));
  return expression;
}

// `binder` of the SELECT, for expressions over its rows; a UNION has none.
absl::Status QueryBinder::bind_order(const Node& select, SelectBinder* binder,
                                     QueryExpression& expression) {
  for (const Node& item : select.list("sortClause")) {
    KAPPA_ASSIGN_OR_RETURN(const SortDirection direction, read_direction(item));
    const Node& node = *item.child("node");
    const std::vector<OutputColumn> visible(
        expression.outputs().begin(),
        expression.outputs().begin() + static_cast<std::ptrdiff_t>(expression.visible));
    KAPPA_ASSIGN_OR_RETURN(int column, ordered_output(node, visible));
    if (column < 0 && !binder) {
      return fault(node, "ORDER BY of a UNION takes its columns by name or number only");
    }
    if (column < 0) {
      KAPPA_ASSIGN_OR_RETURN(ExprRef expr, binder->bind_further(node, expression.bound));
      auto& outputs = expression.bound.outputs;
      const auto same = std::find_if(outputs.begin(), outputs.end(), [&](const auto& output) {
        return same_meaning(output.expr, expr);
      });
      column = static_cast<int>(same - outputs.begin());
      if (same == outputs.end()) outputs.push_back({"order_key", std::move(expr), &node});
    }
    if (expression.distinct && static_cast<size_t>(column) >= expression.visible) {
      return fault(node, "ORDER BY of SELECT DISTINCT takes selected columns only",
                   "add the expression to the SELECT list");
    }
    expression.order.push_back({column, direction.descending, direction.nulls_first});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> QueryBinder::bind_count(const Node& select,
                                                               const char* field,
                                                               const char* name) const {
  const Node* node = select.child(field);
  if (!node) return std::nullopt;
  const Scope nothing;
  const ExpressionBinder binder(text_, nothing, name);
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, binder.bind_operand(*node));
  KAPPA_ASSIGN_OR_RETURN(const ExprRef count, coerce(operand, Type::bigint()));
  if (count->kind != operators::ExprKind::kConstant) {
    return fault(*node, absl::StrCat(name, " takes a constant"));
  }
  if (count->constant.is_null()) return std::nullopt;  // LIMIT ALL
  const auto value = std::get<int64_t>(count->constant.data);
  if (value < 0) return fault(*node, absl::StrCat(name, " must not be negative"));
  return value;
}

absl::Status QueryBinder::bind_limit(const Node& select, QueryExpression& expression) {
  if (select.text("limitOption") == "LIMIT_OPTION_WITH_TIES") {
    return not_supported(*select.child("limitCount"),
                         "SelectStmt.limitOption=LIMIT_OPTION_WITH_TIES");
  }
  KAPPA_ASSIGN_OR_RETURN(const auto limit, bind_count(select, "limitCount", "LIMIT"));
  KAPPA_ASSIGN_OR_RETURN(const auto offset, bind_count(select, "limitOffset", "OFFSET"));
  if (limit || offset) expression.limit = QueryLimit{limit, offset.value_or(0)};
  return absl::OkStatus();
}

}  // namespace kappa::sql
