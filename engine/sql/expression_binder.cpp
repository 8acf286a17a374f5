#include "engine/sql/expression_binder.h"

#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/fault.h"
#include "engine/sql/literal.h"
#include "engine/sql/type_name.h"
#include "engine/types/status_macros.h"
#include "operators/functions.h"

namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;

absl::StatusOr<ExprRef> ExpressionBinder::bind(const Node& node) const {
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, bind_operand(node));
  return settle(operand);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_condition(const Node& node,
                                                         std::string_view needed_by) const {
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, bind_operand(node));
  if (operand.untyped() || operand.expr->type.id == TypeId::kBoolean) {
    return coerce(operand, Type::boolean());
  }
  return fault(node,
               absl::StrCat(needed_by.empty() ? clause_ : std::string(needed_by),
                            " needs a boolean, found ", to_string(operand.expr->type)),
               "compare it with something");
}

absl::StatusOr<Operand> ExpressionBinder::bind_operand(const Node& node) const {
  if (node.is("A_Const")) return bind_constant(node, position(node));
  KAPPA_ASSIGN_OR_RETURN(ExprRef expr, bind_node(node));
  return Operand{std::move(expr), &node};
}

absl::StatusOr<std::vector<Operand>> ExpressionBinder::bind_operands(
    std::span<const Node> nodes) const {
  std::vector<Operand> operands;
  for (const Node& node : nodes) {
    KAPPA_ASSIGN_OR_RETURN(Operand operand, bind_operand(node));
    operands.push_back(std::move(operand));
  }
  return operands;
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_node(const Node& node) const {
  if (node.is("ColumnRef")) {
    const auto column = scope_.resolve(node);
    const bool quoted = node.offset < text_.text().size() && text_.text()[node.offset] == '"';
    if (!column.ok() && quoted) {
      return fault(node, column.status(), "double quotes hold names; texts stand in single quotes");
    }
    KAPPA_RETURN_IF_ERROR(column.status());
    return operators::column_expr(*column, scope_.column(*column).type, position(node));
  }
  if (node.is("A_Expr")) return bind_operator(node);
  if (node.is("BoolExpr")) return bind_logic(node);
  if (node.is("FuncCall")) return bind_function(node);
  if (node.is("TypeCast")) return bind_cast(node);
  if (node.is("CaseExpr")) return bind_case(node);
  if (node.is("CoalesceExpr")) return bind_coalesce(node);
  if (node.is("MinMaxExpr")) return bind_min_max(node);
  if (node.is("NullTest")) return bind_null_test(node);
  if (node.is("BooleanTest")) return bind_truth_test(node);
  if (node.is("SQLValueFunction")) return refuse_name(node, "current_timestamp");
  return not_supported(node, node.kind);
}

ExprRef ExpressionBinder::logic(ExprKind kind, std::vector<ExprRef> args, const Node& node) const {
  if (args.size() == 1 && (kind == ExprKind::kAnd || kind == ExprKind::kOr)) return args[0];
  return make_expr(kind, Type::boolean(), position(node), std::move(args));
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_operator(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"kind"}, {"name"}, {"lexpr"}, {"rexpr"}}));
  const std::string_view kind = node.text("kind");
  if (kind == "AEXPR_IN") return bind_in(node);
  if (kind == "AEXPR_BETWEEN" || kind == "AEXPR_NOT_BETWEEN") return bind_between(node);
  if (kind == "AEXPR_LIKE" || kind == "AEXPR_ILIKE") return bind_like(node);
  if (kind == "AEXPR_NULLIF") return bind_null_if(node);
  std::string name = node.names("name").back();
  if (kind == "AEXPR_DISTINCT") {
    name = "is distinct from";
  } else if (kind == "AEXPR_NOT_DISTINCT") {
    name = "is not distinct from";
  } else if (kind != "AEXPR_OP") {
    return not_supported(node, absl::StrCat("A_Expr.kind=", std::string(kind)));
  }
  if (name == "==") return fault(node, "operator == does not exist", "write =");
  std::vector<Operand> operands;
  for (const char* side : {"lexpr", "rexpr"}) {
    if (!node.child(side)) continue;
    KAPPA_ASSIGN_OR_RETURN(Operand operand, bind_operand(*node.child(side)));
    operands.push_back(std::move(operand));
  }
  return make_call(node, position(node), name, operands);
}

// x IN (a, b): x = a OR x = b. NOT IN: x <> a AND x <> b.
absl::StatusOr<ExprRef> ExpressionBinder::bind_in(const Node& node) const {
  const std::string name = node.names("name").back();
  KAPPA_ASSIGN_OR_RETURN(const Operand left, bind_operand(*node.child("lexpr")));
  KAPPA_ASSIGN_OR_RETURN(const auto items, bind_operands(node.child("rexpr")->list("items")));
  std::vector<ExprRef> comparisons;
  for (const Operand& item : items) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef comparison,
                           make_call(*item.node, position(*item.node), name, {left, item}));
    comparisons.push_back(std::move(comparison));
  }
  return logic(name == "=" ? ExprKind::kOr : ExprKind::kAnd, std::move(comparisons), node);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_between(const Node& node) const {
  KAPPA_ASSIGN_OR_RETURN(const Operand value, bind_operand(*node.child("lexpr")));
  KAPPA_ASSIGN_OR_RETURN(const auto bounds, bind_operands(node.child("rexpr")->list("items")));
  KAPPA_ASSIGN_OR_RETURN(ExprRef low, make_call(node, position(node), ">=", {value, bounds[0]}));
  KAPPA_ASSIGN_OR_RETURN(ExprRef high, make_call(node, position(node), "<=", {value, bounds[1]}));
  ExprRef between = logic(ExprKind::kAnd, {low, high}, node);
  const bool negated = node.text("kind") == "AEXPR_NOT_BETWEEN";
  return negated ? logic(ExprKind::kNot, {between}, node) : between;
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_like(const Node& node) const {
  const Node& pattern = *node.child("rexpr");
  const bool escape = pattern.is("FuncCall") && pattern.names("funcname").back() == "like_escape";
  if (escape) return not_supported(pattern, "like_escape");
  KAPPA_ASSIGN_OR_RETURN(Operand left, bind_operand(*node.child("lexpr")));
  KAPPA_ASSIGN_OR_RETURN(Operand right, bind_operand(pattern));
  return make_call(node, position(node), node.names("name").back(), {left, right});
}

// NULLIF(a, b): CASE WHEN a = b THEN NULL ELSE a END.
absl::StatusOr<ExprRef> ExpressionBinder::bind_null_if(const Node& node) const {
  KAPPA_ASSIGN_OR_RETURN(const Operand value, bind_operand(*node.child("lexpr")));
  KAPPA_ASSIGN_OR_RETURN(const Operand other, bind_operand(*node.child("rexpr")));
  KAPPA_ASSIGN_OR_RETURN(ExprRef equal, make_call(node, position(node), "=", {value, other}));
  const ExprRef kept = settle(value);
  const ExprRef null = operators::constant_expr(Value::null(kept->type), position(node));
  return make_expr(ExprKind::kCase, kept->type, position(node), {equal, null, kept});
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_logic(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"boolop"}, {"args"}}));
  const std::string_view op = node.text("boolop");
  const std::string_view name = op.substr(0, op.find('_'));
  std::vector<ExprRef> args;
  for (const Node& arg : node.list("args")) {
    KAPPA_ASSIGN_OR_RETURN(ExprRef bound, bind_condition(arg, name));
    args.push_back(std::move(bound));
  }
  const ExprKind kind = op == "AND_EXPR"  ? ExprKind::kAnd
                        : op == "OR_EXPR" ? ExprKind::kOr
                                          : ExprKind::kNot;
  return logic(kind, std::move(args), node);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_case(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"arg"}, {"args"}, {"defresult"}}));
  std::optional<Operand> subject;
  if (const Node* arg = node.child("arg")) {
    KAPPA_ASSIGN_OR_RETURN(subject, bind_operand(*arg));
  }
  std::vector<ExprRef> conditions;
  std::vector<Operand> results;
  for (const Node& when : node.list("args")) {
    KAPPA_RETURN_IF_ERROR(expect_only(when, {{"expr"}, {"result"}}));
    const Node& test = *when.child("expr");
    ExprRef condition;
    if (subject) {
      KAPPA_ASSIGN_OR_RETURN(const Operand value, bind_operand(test));
      KAPPA_ASSIGN_OR_RETURN(condition, make_call(test, position(test), "=", {*subject, value}));
    } else {
      KAPPA_ASSIGN_OR_RETURN(condition, bind_condition(test, "WHEN"));
    }
    conditions.push_back(std::move(condition));
    KAPPA_ASSIGN_OR_RETURN(Operand result, bind_operand(*when.child("result")));
    results.push_back(std::move(result));
  }
  if (const Node* otherwise = node.child("defresult")) {
    KAPPA_ASSIGN_OR_RETURN(Operand result, bind_operand(*otherwise));
    results.push_back(std::move(result));
  } else {
    results.push_back({operators::constant_expr(Value::null(Type::null()), position(node)), &node});
  }
  KAPPA_ASSIGN_OR_RETURN(const auto unified, unify(results, "CASE"));
  std::vector<ExprRef> args;
  for (size_t i = 0; i < conditions.size(); ++i) {
    args.push_back(conditions[i]);
    args.push_back(unified[i]);
  }
  args.push_back(unified.back());
  return make_expr(ExprKind::kCase, unified[0]->type, position(node), std::move(args));
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_null_test(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"arg"}, {"nulltesttype"}}));
  KAPPA_ASSIGN_OR_RETURN(ExprRef value, bind(*node.child("arg")));
  ExprRef test = logic(ExprKind::kIsNull, {value}, node);
  return node.text("nulltesttype") == "IS_NULL" ? test : logic(ExprKind::kNot, {test}, node);
}

// x IS TRUE: COALESCE(x, false). x IS FALSE: NOT COALESCE(x, true). x IS UNKNOWN: x IS NULL.
absl::StatusOr<ExprRef> ExpressionBinder::bind_truth_test(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"arg"}, {"booltesttype"}}));
  KAPPA_ASSIGN_OR_RETURN(ExprRef value,
                         bind_condition(*node.child("arg"), "a test for TRUE, FALSE or UNKNOWN"));
  const std::string_view test = node.text("booltesttype");
  const auto with_default = [&](bool otherwise) {
    return logic(ExprKind::kCoalesce,
                 {value, operators::constant_expr(Value::boolean(otherwise), position(node))},
                 node);
  };
  if (test == "IS_TRUE") return with_default(false);
  if (test == "IS_NOT_TRUE") return logic(ExprKind::kNot, {with_default(false)}, node);
  if (test == "IS_FALSE") return logic(ExprKind::kNot, {with_default(true)}, node);
  if (test == "IS_NOT_FALSE") return with_default(true);
  ExprRef is_null = logic(ExprKind::kIsNull, {value}, node);
  return test == "IS_UNKNOWN" ? is_null : logic(ExprKind::kNot, {is_null}, node);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_min_max(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"op"}, {"args"}}));
  KAPPA_ASSIGN_OR_RETURN(const auto operands, bind_operands(node.list("args")));
  return make_call(node, position(node), node.text("op") == "IS_GREATEST" ? "greatest" : "least",
                   operands);
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_coalesce(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"args"}}));
  KAPPA_ASSIGN_OR_RETURN(const auto operands, bind_operands(node.list("args")));
  KAPPA_ASSIGN_OR_RETURN(auto unified, unify(operands, "COALESCE"));
  const Type type = unified[0]->type;
  return make_expr(ExprKind::kCoalesce, type, position(node), std::move(unified));
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_cast(const Node& node) const {
  KAPPA_RETURN_IF_ERROR(expect_only(node, {{"arg"}, {"typeName"}}));
  const Node& type_name = *node.child("typeName");
  KAPPA_ASSIGN_OR_RETURN(Operand operand, bind_operand(*node.child("arg")));
  const bool interval = type_name.names("names").back() == "interval";
  if (interval && operand.literal && !type_name.list("typmods").empty()) {
    KAPPA_ASSIGN_OR_RETURN(operand, with_interval_unit(operand, type_name));
    return coerce(operand, Type::interval());
  }
  KAPPA_ASSIGN_OR_RETURN(const Type type, bind_type(type_name));
  return cast(operand, type, position(node));
}

}  // namespace kappa::sql
