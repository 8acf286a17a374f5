#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/sql/suggest.h"
#include "engine/types/status_macros.h"
#include "engine/types/text.h"

// predict() and model_version().
namespace kappa::sql {

using operators::Expr;
using operators::ExprKind;
using operators::ExprRef;
using operators::ModelFacts;
using operators::ModelRef;

namespace {

std::vector<std::string> names_of(const operators::Models& models) {
  std::vector<std::string> names;
  for (const auto& [name, model] : models) names.push_back(name);
  return names;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) absl::StrAppend(&list, list.empty() ? "" : ", ", name);
  return list;
}

// Which models there are, and which one is meant by `name`.
std::string models_hint(const operators::Models& models, std::string_view name) {
  const std::vector<std::string> names = names_of(models);
  if (names.empty()) return "the product has none: a model is a file models/NAME.json";
  const std::optional<std::string> meant = closest(name, names);
  return absl::StrCat(meant ? absl::StrCat("did you mean \"", *meant, "\"? ") : "", "there are ",
                      list_of(names));
}

// The call as it is right.
std::string call_hint(const ModelFacts& model) {
  if (model.features.empty()) return "write them in the order in which it was trained";
  return absl::StrCat("write predict('", model.name, "', ", list_of(model.features), ")");
}

std::string feature_text(const ModelFacts& model, size_t place) {
  const std::string name =
      model.features.empty() ? "" : absl::StrCat(" (\"", model.features[place], "\")");
  return absl::StrCat("feature ", place + 1, name, " of model \"", model.name, "\"");
}

// The column that an argument is, maybe below casts; nullptr: it is something else.
const Expr* column_of(const Expr* expr) {
  while (expr->kind == ExprKind::kCast) expr = expr->args[0].get();
  return expr->kind == ExprKind::kColumn ? expr : nullptr;
}

// An argument as double precision.
absl::StatusOr<ExprRef> feature_value(const Operand& operand, const ModelFacts& model,
                                      size_t place) {
  const Type& type = operand.expr->type;
  if (operand.untyped() || type.is_number()) return coerce(operand, Type::double_precision());
  if (type.id != TypeId::kBoolean) {
    return fault(*operand.node, absl::StrCat(feature_text(model, place),
                                             " is a number or a boolean, found ", to_string(type)));
  }
  KAPPA_ASSIGN_OR_RETURN(ExprRef number, cast(operand, Type::integer(), operand.expr->position));
  return coerce({std::move(number), operand.node}, Type::double_precision());
}

}  // namespace

absl::StatusOr<ModelRef> ExpressionBinder::bind_model(const Node& node,
                                                      std::string_view function) const {
  const auto args = node.list("args");
  const Node* name = !args.empty() && args[0].is("A_Const") ? args[0].child("sval") : nullptr;
  if (!name) {
    return fault(
        args.empty() ? node : args[0],
        absl::StrCat(to_absl(function), " takes the name of a model first, in single quotes"),
        models_hint(text_.models(), ""));
  }
  const std::string wanted(name->text("sval"));
  const auto found = text_.models().find(wanted);
  if (found == text_.models().end()) {
    return fault(args[0], absl::StrCat("model \"", wanted, "\" does not exist"),
                 models_hint(text_.models(), wanted));
  }
  if (!found->second.ok()) return fault(args[0], found->second.status());
  return *found->second;
}

absl::Status ExpressionBinder::check_feature(const Operand& operand, const ModelFacts& model,
                                             size_t place) const {
  const Expr* column = column_of(operand.expr.get());
  if (!column || column->column >= scope_.size() || model.features.empty()) {
    return absl::OkStatus();
  }
  const std::string& name = scope_.column(column->column).name;
  if (name == model.features[place]) return absl::OkStatus();
  return fault(*operand.node,
               absl::StrCat(feature_text(model, place), " is not column \"", name, "\""),
               call_hint(model));
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_predict(const Node& node) const {
  KAPPA_ASSIGN_OR_RETURN(const ModelRef model, bind_model(node, "predict"));
  const ModelFacts& facts = model->facts();
  KAPPA_ASSIGN_OR_RETURN(const auto operands, bind_operands(node.list("args").subspan(1)));
  if (operands.size() != facts.feature_count) {
    return fault(node,
                 absl::StrCat("model \"", facts.name, "\" takes ", facts.feature_count, " feature",
                              facts.feature_count == 1 ? "" : "s", ", found ", operands.size()),
                 call_hint(facts));
  }
  Expr call;
  call.kind = ExprKind::kPredict;
  call.type = Type::double_precision();
  call.position = position(node);
  call.model = model;
  for (size_t i = 0; i < operands.size(); ++i) {
    KAPPA_RETURN_IF_ERROR(check_feature(operands[i], facts, i));
    KAPPA_ASSIGN_OR_RETURN(ExprRef value, feature_value(operands[i], facts, i));
    call.args.push_back(std::move(value));
  }
  return make_expr(std::move(call));
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_model_version(const Node& node) const {
  KAPPA_ASSIGN_OR_RETURN(const ModelRef model, bind_model(node, "model_version"));
  if (const auto args = node.list("args"); args.size() > 1) {
    return fault(args[1], "model_version takes nothing but the name of a model");
  }
  return operators::constant_expr(Value::text(model->facts().version), position(node));
}

}  // namespace kappa::sql
