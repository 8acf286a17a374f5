#include "absl/strings/str_cat.h"
#include "engine/sql/construct.h"
#include "engine/sql/expression_binder.h"
#include "engine/sql/fault.h"
#include "engine/sql/window_function.h"
#include "engine/types/status_macros.h"

// Calls of aggregates without OVER: f([DISTINCT] x [, …]) [FILTER (WHERE …)].
namespace kappa::sql {

using operators::AggregateKind;
using operators::ExprRef;
using Second = AggregateSignature::Second;

namespace {

// Squares of values beyond these digits do not fit what sums of them are kept in.
constexpr int kSquareDigitsMax = 18;

constexpr const char* kHalfLifeUsage = "write decayed_sum(x, INTERVAL '1 hour')";
constexpr const char* kQuantileUsage = "write approx_quantile(x, 0.95)";

// What an aggregate of `kind` takes in the place of its argument, if that is another type.
std::optional<Type> taken_as(AggregateKind kind, const Type& type) {
  switch (kind) {
    case AggregateKind::kDecayedSum:
      return Type::double_precision();
    case AggregateKind::kStddev:
    case AggregateKind::kStddevPop:
      if (type.id == TypeId::kNumeric && type.precision > kSquareDigitsMax) {
        return Type::double_precision();
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

absl::StatusOr<double> constant_quantile(const Node& node, const ExpressionBinder& binder) {
  KAPPA_ASSIGN_OR_RETURN(const Operand operand, binder.bind_operand(node));
  KAPPA_ASSIGN_OR_RETURN(const ExprRef quantile, coerce(operand, Type::double_precision()));
  if (quantile->kind == operators::ExprKind::kConstant && !quantile->constant.is_null()) {
    const auto value = std::get<double>(quantile->constant.data);
    if (value >= 0 && value <= 1) return value;
  }
  return fault(node, "the quantile must be a constant from 0 to 1", kQuantileUsage);
}

}  // namespace

absl::Status ExpressionBinder::check_aggregate(const Node& node,
                                               const AggregateSignature& signature) const {
  const std::string name(signature.name);
  KAPPA_RETURN_IF_ERROR(expect_only(
      node,
      {{"funcname"}, {"args"}, {"agg_filter"}, {"agg_star"}, {"agg_distinct"}, {"funcformat"}}));
  if (!aggregates_) {
    return fault(node, absl::StrCat("the aggregate ", name, " cannot stand in ", clause_));
  }
  const bool star = node.flag("agg_star");
  const bool count = signature.kind == AggregateKind::kCount;
  if (star && !count) return fault(node, absl::StrCat(name, "(*) does not exist"));
  if (node.flag("agg_distinct") && !count) {
    return fault(node, absl::StrCat(name, "(DISTINCT …) is not supported yet"),
                 "there is count(DISTINCT …)");
  }
  const size_t found = node.list("args").size();
  if (!star && found != signature.arguments()) {
    return fault(
        node,
        absl::StrCat(name, " takes ", signature.arguments() == 1 ? "one argument" : "two arguments",
                     ", found ", found),
        signature.second == Second::kHalfLife   ? kHalfLifeUsage
        : signature.second == Second::kQuantile ? kQuantileUsage
                                                : "");
  }
  return absl::OkStatus();
}

absl::Status ExpressionBinder::bind_argument(const Node& node, AggregateExpr* aggregate) const {
  KAPPA_ASSIGN_OR_RETURN(aggregate->argument, bind(node));
  // What it does not take is refused by its own type.
  const auto result = operators::aggregate_result_type(aggregate->kind, aggregate->argument->type);
  const auto taken = taken_as(aggregate->kind, aggregate->argument->type);
  if (!result.ok() || !taken) return absl::OkStatus();
  KAPPA_ASSIGN_OR_RETURN(aggregate->argument,
                         cast({aggregate->argument, &node}, *taken, position(node)));
  return absl::OkStatus();
}

absl::Status ExpressionBinder::bind_event_time(const Node& node,
                                               const AggregateSignature& signature,
                                               AggregateExpr* aggregate) const {
  const std::string name(signature.name);
  const auto& event_time = aggregates_->event_time();
  if (!event_time) {
    const bool picks = signature.second == Second::kEventTime;
    return fault(node,
                 absl::StrCat(name,
                              " goes by the event time of rows, which a read does not "
                              "know"),
                 picks ? absl::StrCat("write ", name == "first" ? "arg_min" : "arg_max",
                                      "(x, time), or make a view of it")
                       : "make a view of it");
  }
  if (!*event_time) {
    return fault(node, absl::StrCat(name, " goes by the event time, and these rows have none"),
                 "declare the source with OPTIONS (event_time 'column'), and select that column in "
                 "the views between");
  }
  aggregate->by = *event_time;
  return absl::OkStatus();
}

absl::Status ExpressionBinder::bind_second(const Node& node, const AggregateSignature& signature,
                                           AggregateExpr* aggregate) const {
  const std::string name(signature.name);
  const ExpressionBinder inside(text_, scope_, absl::StrCat("the aggregate ", name));
  switch (signature.second) {
    case Second::kNone:
      return absl::OkStatus();
    case Second::kEventTime:
      return bind_event_time(node, signature, aggregate);
    case Second::kBy: {
      const Node& by = node.list("args")[1];
      KAPPA_ASSIGN_OR_RETURN(aggregate->by, inside.bind(by));
      if (operators::aggregate_result_type(AggregateKind::kMin, aggregate->by->type).ok()) {
        return absl::OkStatus();
      }
      return fault(by,
                   absl::StrCat(name, " by ", to_string(aggregate->by->type), " does not exist"),
                   "it goes by a number, text, bytea, a time or an interval");
    }
    case Second::kHalfLife: {
      const Node& half_life = node.list("args")[1];
      KAPPA_ASSIGN_OR_RETURN(aggregate->half_life_us,
                             constant_span_us(half_life, text_, "the half-life", kHalfLifeUsage));
      if (aggregate->half_life_us <= 0) {
        return fault(half_life, "the half-life must be more than zero", kHalfLifeUsage);
      }
      return bind_event_time(node, signature, aggregate);
    }
    case Second::kQuantile: {
      KAPPA_ASSIGN_OR_RETURN(aggregate->quantile, constant_quantile(node.list("args")[1], inside));
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ExprRef> ExpressionBinder::bind_aggregate(
    const Node& node, const AggregateSignature& signature) const {
  KAPPA_RETURN_IF_ERROR(check_aggregate(node, signature));
  AggregateExpr aggregate{.kind = signature.kind, .position = position(node)};
  if (node.flag("agg_star")) {
    aggregate.kind = AggregateKind::kCountStar;
  } else {
    if (node.flag("agg_distinct")) aggregate.kind = AggregateKind::kCountDistinct;
    const ExpressionBinder inside(text_, scope_,
                                  absl::StrCat("the aggregate ", std::string(signature.name)));
    KAPPA_RETURN_IF_ERROR(inside.bind_argument(node.list("args")[0], &aggregate));
    KAPPA_RETURN_IF_ERROR(bind_second(node, signature, &aggregate));
  }
  if (const Node* filter = node.child("agg_filter")) {
    const ExpressionBinder filter_binder(text_, scope_, "FILTER");
    KAPPA_ASSIGN_OR_RETURN(aggregate.filter, filter_binder.bind_condition(*filter));
  }
  const auto result = operators::aggregate_result_type(
      aggregate.kind, aggregate.argument ? aggregate.argument->type : Type::null());
  if (!result.ok()) return fault(node, result.status());
  aggregate.result = *result;
  const int index = aggregates_->add(std::move(aggregate));
  return operators::column_expr(scope_.size() + index, *result, position(node));
}

}  // namespace kappa::sql
